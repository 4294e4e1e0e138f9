"""Writing summaries of events. Each replaces, in the log, exactly what it was made from, or is not written at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Self
from zoneinfo import ZoneInfo

from django.utils import timezone

from accounts.boundaries import reach as reach_boundary
from agents.context.days import load_zone
from agents.context.history import indent
from agents.models import Run, Synthesis, SynthesisKind, WorkingEvent, WorkingState
from memory.models import Audience
from memory.types import HeardBy

MOST_WORDS: dict[str, int] = {SynthesisKind.INTRADAY: 100, SynthesisKind.DAILY: 300}
MOST_CHARACTERS_A_WORD = 12
FIRST_PAUSE = timedelta(minutes=5)
LONGEST_PAUSE = timedelta(hours=6)


@dataclass(frozen=True)
class Material:
    """What one summary stands for: open events, and for a day its paragraphs and what was summed up of it before."""

    kind: str
    day: date
    state_id: int
    event_ids: tuple[int, ...]
    paragraph_ids: tuple[int, ...] = ()

    @classmethod
    def of(cls, run: Run) -> Self:
        given = run.input
        return cls(
            given["kind"],
            date.fromisoformat(given["day"]),
            given["state"],
            tuple(given["events"]),
            tuple(given["paragraphs"]),
        )

    def as_input(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "day": self.day.isoformat(),
            "state": self.state_id,
            "events": list(self.event_ids),
            "paragraphs": list(self.paragraph_ids),
        }

    def events(self) -> list[WorkingEvent]:
        return list(WorkingEvent.objects.filter(pk__in=self.event_ids, synthesis=None).order_by("id"))

    def paragraphs(self) -> list[Synthesis]:
        return list(Synthesis.objects.filter(pk__in=self.paragraph_ids, rolled_into=None).order_by("id"))

    def render(self) -> str:
        """Return the material as a model reads it: a line each, what others wrote indented."""
        state = WorkingState.objects.get(pk=self.state_id)
        zone = load_zone(state.agent_id)
        before = find_day(state, self.day) if self.kind == SynthesisKind.DAILY else None
        return render_material(self.day, self.paragraphs(), self.events(), zone, before=before)


def render_material(
    day: date,
    paragraphs: Sequence[Synthesis],
    events: Sequence[WorkingEvent],
    zone: ZoneInfo,
    *,
    before: Synthesis | None = None,
) -> str:
    lines = [f"[{day:%A} {day}, times in {zone.key}]"]
    if before is not None:
        lines.append(f"summed up before: {indent(before.text)}")
    told = [(row.from_at, f"until {_clock(row.to_at, zone)}: {indent(row.text)}") for row in paragraphs]
    told += [(row.created_at, f"{row.type.replace('_', ' ')}: {indent(row.summary)}") for row in events]
    lines += [f"{_clock(at, zone)} {text}" for at, text in sorted(told, key=lambda pair: pair[0])]
    return "\n".join(lines)


def cut_words(text: str, kind: str) -> str:
    """Return the beginning of a text that is too long, with a mark."""
    most = MOST_WORDS[kind]
    words = text.split()
    if len(words) > most:
        text = " ".join(words[:most]) + " …"
    return text[: most * MOST_CHARACTERS_A_WORD]


def find_day(state: WorkingState, day: date) -> Synthesis | None:
    return Synthesis.objects.filter(
        agent_id=state.agent_id, reach=state.reach, day=day, kind=SynthesisKind.DAILY
    ).first()


def swap_in(material: Material, text: str, *, run: Run | None) -> Synthesis | None:
    """Let `text` stand for the material; None, and nothing written, when some of it is gone or told already.

    A day that was summed up before, because something of it came late, gets the new text in the same row. Joins the
    caller's transaction.
    """
    state = WorkingState.objects.select_for_update().filter(pk=material.state_id).first()
    if state is None:
        return None
    # Paragraphs before events, as taking back does.
    paragraphs = list(
        Synthesis.objects.select_for_update().filter(pk__in=material.paragraph_ids, rolled_into=None)
    )
    events = list(WorkingEvent.objects.select_for_update().filter(pk__in=material.event_ids, synthesis=None))
    reach_boundary("synthesis.before")
    _forgive(state)
    if len(events) != len(material.event_ids) or len(paragraphs) != len(material.paragraph_ids):
        return None
    row = _row(material, state, text, run, events, paragraphs)
    WorkingEvent.objects.filter(pk__in=material.event_ids).update(synthesis=row)
    Synthesis.objects.filter(pk__in=material.paragraph_ids).update(rolled_into=row)
    reach_boundary("synthesis.swapped")
    return row


def _row(
    material: Material,
    state: WorkingState,
    text: str,
    run: Run | None,
    events: list[WorkingEvent],
    paragraphs: list[Synthesis],
) -> Synthesis:
    row = find_day(state, material.day) if material.kind == SynthesisKind.DAILY else None
    moments: list[datetime] = [each.created_at for each in events]
    moments += [moment for each in paragraphs for moment in (each.from_at, each.to_at)]
    people = {each.person_id for each in events if each.person_id}
    people |= {person for each in paragraphs for person in each.people}
    count = len(events) + sum(each.event_count for each in paragraphs)
    if row is None:
        heard_by = heard_by_of(state)
        row = Synthesis(
            organization_id=state.organization_id,
            agent_id=state.agent_id,
            audience=heard_by.audience,
            audience_conversation_id=heard_by.conversation_id,
            audience_person_id=heard_by.person_id,
            kind=material.kind,
            day=material.day,
            created_at=timezone.now(),
        )
    else:
        moments += [row.from_at, row.to_at]
        people |= set(row.people)
        count += row.event_count
    row.text, row.run, row.event_count, row.people = text, run, count, sorted(people)
    row.from_at, row.to_at = min(moments), max(moments)
    row.save()
    return row


def _forgive(state: WorkingState) -> None:
    """Note that a summary was made: failures before it are forgiven."""
    state.synthesised_at, state.failures, state.not_before = timezone.now(), 0, None
    state.save(update_fields=["synthesised_at", "failures", "not_before"])


def put_off(run: Run) -> None:
    """Wait before the next try, twice as long after each failure."""
    state = WorkingState.objects.select_for_update().filter(pk=run.input["state"]).first()
    if state is None:
        return
    state.failures = min(state.failures + 1, 20)
    state.not_before = timezone.now() + min(FIRST_PAUSE * 2 ** (state.failures - 1), LONGEST_PAUSE)
    state.save(update_fields=["failures", "not_before"])


def heard_by_of(state: WorkingState) -> HeardBy:
    return HeardBy(Audience(state.audience), state.audience_conversation_id, state.audience_person_id)


def _clock(moment: datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%H:%M}"
