"""Deciding what is to be summed up. Rows decide: where nothing new happened, nothing is asked of any model.

Events that no summary tells are what makes an audience's day due: fifteen of them, or one that is four hours old; a day
that is over, however long ago. One run at a time for an audience, ten minutes between parts of a day, twice as long a
wait after each failure, and at most so many calls a day for an agent. A few things need no model: they are short enough.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone

from accounts.logs import get_logger
from agents.context.days import day_of, start_of, zone_for
from agents.context.history import indent
from agents.context.memory_mode import memory_mode
from agents.engine import wakeups
from agents.models import (
    LIVE_STATES,
    Agent,
    Run,
    RunKind,
    RunState,
    Synthesis,
    SynthesisKind,
    WorkingEvent,
    WorkingState,
)
from agents.services.open_days import MOST_EVENTS, OpenDays, due, list_open
from agents.services.syntheses import LONGEST_PAUSE, MOST_WORDS, Material, find_day, swap_in
from llm.services.routing import get_routing
from memory.models import EVERYONE
from memory.types import ORGANIZATION, HeardBy, conversation, person
from messaging.models import Conversation
from realtime.services import unit_of_work

log = get_logger(__name__)

GAP = timedelta(minutes=10)
FEW = 3
KEEP = timedelta(days=30)
ACTIVE_LIMIT_S = 180
BUDGET_CALLS = 100


@dataclass
class AgentDay:
    """What an agent may do now: its day, and how many calls are left of it."""

    agent: Agent
    zone: ZoneInfo
    now: datetime
    calls_left: int = field(init=False)

    def __post_init__(self) -> None:
        used = Run.objects.filter(
            agent_id=self.agent.pk, kind=RunKind.SYNTHESIS, created_at__gte=start_of(self.today, self.zone)
        )
        budget = int(self.agent.settings.get("background_budget_calls", BUDGET_CALLS))
        has_model = bool(get_routing(self.agent.organization_id).entries)
        self.calls_left = budget - used.count() if has_model else 0

    @property
    def today(self) -> date:
        return day_of(self.now, self.zone)


def start_due(now: datetime | None = None) -> int:
    """Sum up what is due, or start runs that do; return how many. Two queries where nothing is open."""
    now = now or timezone.now()
    count = 0
    for agent_id, reaches in list_open().items():
        agent = Agent.objects.select_related("organization").filter(pk=agent_id, enabled=True).first()
        if agent is None:
            continue
        agent_day = AgentDay(agent, zone_for(agent.settings, agent.organization.time_zone), now)
        for reach, days in reaches.items():
            try:
                count += _start_for(agent_day, reach, days)
            except Exception:
                # One audience must not hold up the others, minute after minute.
                log.exception("summing_up.failed", agent=agent_id, reach=reach)
    return count


def _start_for(agent_day: AgentDay, reach: int, days: OpenDays) -> bool:
    """Start on the oldest day that is due, and tell whether one was."""
    for day in sorted(days):
        kind = due(days[day], day, now=agent_day.now, zone=agent_day.zone)
        if kind is not None:
            needs_model = days[day].size > FEW
            return not (needs_model and agent_day.calls_left <= 0) and _start(agent_day, reach, day, kind)
    return False


def _start(agent_day: AgentDay, reach: int, day: date, kind: SynthesisKind) -> bool:
    heard_by = _heard_by(reach)
    if heard_by.conversation_id:
        where = Conversation.objects.filter(pk=heard_by.conversation_id).first()
        if memory_mode(where) != "full":
            return False
    with unit_of_work():
        state = _lock_state(agent_day.agent, heard_by)
        if not _may_start(state, agent_day.now, kind, today=day == agent_day.today):
            return False
        material = _material(state, day, kind)
        if (text := _few_words(material, agent_day.zone, state)) is not None:
            return swap_in(material, text, run=None) is not None
        if agent_day.calls_left <= 0:
            return False
        agent_day.calls_left -= 1
        state.run = wakeups.start_alone(
            agent_day.agent,
            kind=RunKind.SYNTHESIS,
            conversation_id=heard_by.conversation_id,
            title=f"Summing up {'' if kind == SynthesisKind.DAILY else 'a part of '}{day}",
            values=material.as_input(),
            active_limit_s=ACTIVE_LIMIT_S,
        )
        state.save(update_fields=["run"])
    return True


def _may_start(state: WorkingState, now: datetime, kind: SynthesisKind, *, today: bool) -> bool:
    """Say whether nothing is under way, failed or was cancelled lately, or was summed up just now."""
    if state.not_before is not None and state.not_before > now:
        return False
    if today and state.synthesised_at is not None and state.synthesised_at + GAP > now:
        return False
    if state.run is None:
        return True
    if state.run.state == RunState.CANCELLED:
        return state.run.finished_at is None or state.run.finished_at + LONGEST_PAUSE < now
    return state.run.state not in LIVE_STATES


def _material(state: WorkingState, day: date, kind: SynthesisKind) -> Material:
    events = WorkingEvent.objects.filter(agent_id=state.agent_id, reach=state.reach, day=day, synthesis=None)
    paragraphs = Synthesis.objects.filter(
        agent_id=state.agent_id, reach=state.reach, day=day, kind=SynthesisKind.INTRADAY, rolled_into=None
    )
    daily = kind == SynthesisKind.DAILY
    return Material(
        kind,
        day,
        state.pk,
        tuple(events.order_by("id").values_list("pk", flat=True)[:MOST_EVENTS]),
        tuple(paragraphs.order_by("id").values_list("pk", flat=True)) if daily else (),
    )


def _few_words(material: Material, zone: ZoneInfo, state: WorkingState) -> str | None:
    """Return what there is, if it is no longer than a summary of it would be."""
    if len(material.event_ids) + len(material.paragraph_ids) > FEW:
        return None
    lines = [row.text for row in material.paragraphs()]
    if material.kind == SynthesisKind.DAILY and (before := find_day(state, material.day)):
        lines.insert(0, before.text)
    lines += [
        f"{each.created_at.astimezone(zone):%H:%M} {indent(each.summary)}." for each in material.events()
    ]
    text = "\n".join(lines)
    return text if len(text.split()) <= MOST_WORDS[material.kind] else None


def _lock_state(agent: Agent, heard_by: HeardBy) -> WorkingState:
    WorkingState.objects.bulk_create(
        [
            WorkingState(
                organization_id=agent.organization_id,
                agent=agent,
                audience=heard_by.audience,
                audience_conversation_id=heard_by.conversation_id,
                audience_person_id=heard_by.person_id,
            )
        ],
        ignore_conflicts=True,
    )
    rows = WorkingState.objects.select_for_update(of=("self",)).select_related("run")
    return rows.get(agent_id=agent.pk, reach=heard_by.reach)


def _heard_by(reach: int) -> HeardBy:
    if reach == EVERYONE:
        return ORGANIZATION
    return conversation(reach) if reach > EVERYONE else person(-reach)


def prune(now: datetime | None = None) -> int:
    """Delete events and parts of days after a month; days stay. Return how many rows went."""
    before = (now or timezone.now()) - KEEP
    events, _ = WorkingEvent.objects.filter(created_at__lt=before).delete()
    # A day later, so that no event of theirs is left, which would be open again.
    parts = Synthesis.objects.filter(kind=SynthesisKind.INTRADAY, day__lt=(before - timedelta(days=2)).date())
    return events + parts.delete()[0]
