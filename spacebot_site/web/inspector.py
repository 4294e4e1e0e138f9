"""One run, laid open: where it came from, the exact prompt, each step, its tools, and when all of it happened."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone

from accounts.actor import Actor
from agents.autonomy.queries import started_by
from agents.models import LIVE_STATES, CallState, Run, RunKind, RunState, Step
from agents.payloads import run_payload
from agents.queries import list_steps, readable_runs, was_there
from messaging.attachments.pictures import pictures_of
from messaging.models import Message
from spacebot_site.web.autonomy_words import label_of
from tasks.models import WakeEvent
from tasks.queries.approvals import list_approvals

WIDTH = 1000
LEAST = 4
RETRIED = (RunKind.BRANCH, RunKind.WORKER)


def load(actor: Actor, run: Run) -> dict[str, Any]:
    """Return everything the inspector shows; nine queries. Who joined later sees what came of a run, not its inside."""
    is_open = was_there(actor, run)
    steps = _with_pictures(run, list_steps(actor, run)) if is_open else []
    children = list(readable_runs(actor).filter(parent=run).order_by("id"))
    shown = run_payload(run)
    return {
        "run": run,
        "is_live": run.state in LIVE_STATES,
        "can_retry": run.kind in RETRIED and run.state not in LIVE_STATES and run.state != RunState.SUCCEEDED,
        "failure": shown["failure"],
        "result_text": shown["result_text"],
        "title": _title(run),
        "by_itself": _by_itself(run) if run.kind == RunKind.AUTONOMY else None,
        "summarises": run.input if run.kind == RunKind.COMPACTION and "from_seq" in run.input else None,
        "is_open": is_open,
        "prompt": run.prompt if is_open else None,
        "steps": steps,
        "children": children,
        "approvals": list_approvals(actor, run_id=run.pk, limit=20),
        "messages_in": _causes(run),
        "messages_out": list(Message.objects.filter(run_id=run.pk).order_by("seq")),
        "totals": _totals(steps),
        "took_ms": _length_ms(run.started_at, run.finished_at),
        "waterfall": _waterfall(run, steps, children),
        "width": WIDTH,
    }


def _with_pictures(run: Run, steps: list[Step]) -> list[Step]:
    """Lay what each call saw beside it."""
    found = pictures_of(run.organization_id, run.pk)
    for step in steps:
        for call in step.tool_calls.all():
            call.pictures = found.get(call.key, [])  # type: ignore[attr-defined]
    return steps


def _by_itself(run: Run) -> dict[str, Any]:
    """Return why an agent began by itself, how far it might go, and what came of it."""
    events = WakeEvent.objects.filter(pk__in=run.input.get("event_ids", [])).select_related("wake")
    return {
        "level": label_of(run.input.get("level", "off")),
        "events": list(events.order_by("pk")),
        "things": len(run.input.get("keys", [])),
        "actions": run.result.get("actions", []) if run.result else [],
        "started": started_by([run]).get(run.pk, []),
        "from_outside": bool(run.input.get("from_outside")),
    }


def _title(run: Run) -> str:
    if run.kind == RunKind.COMPACTION:
        return f"Summary: {run.title[:1].lower()}{run.title[1:]}" if run.title else f"Summary {run.pk}"
    return run.title or f"{RunKind(run.kind).label} run {run.pk}"


def _causes(run: Run) -> list[Message]:
    """Return the messages that this run answered; for a child, those that its parent answered; none for upkeep."""
    answered_by = run.pk if run.kind == RunKind.CHANNEL else run.parent_id
    if run.conversation is None or answered_by is None or run.kind == RunKind.COMPACTION:
        return []
    return list(run.conversation.messages.filter(handled_by_run_id=answered_by).order_by("seq"))


def _totals(steps: list[Step]) -> dict[str, Any]:
    costs = [step.cost_usd for step in steps]
    known = bool(costs) and all(cost is not None for cost in costs)
    return {
        "steps": len(steps),
        "input": sum(step.input_tokens for step in steps),
        "output": sum(step.output_tokens for step in steps),
        "cost": sum((cost for cost in costs if cost is not None), Decimal(0)) if known else None,
        "calls": sum(len(step.tool_calls.all()) for step in steps),
    }


def _length_ms(start: datetime | None, end: datetime | None) -> float | None:
    if start is None:
        return None
    return ((end or timezone.now()) - start).total_seconds() * 1000


def _waterfall(run: Run, steps: list[Step], children: list[Run]) -> list[dict[str, Any]]:
    """Return bars in order of time, each with its place on a scale from 0 to WIDTH."""
    begin = run.started_at or run.created_at
    end = run.finished_at or timezone.now()
    bars: list[dict[str, Any]] = []
    for step in steps:
        bars.append(_bar(f"Step {step.number + 1}", "model", step.started_at, step.finished_at))
        for call in step.tool_calls.all():
            kind = "tool" if call.state in (CallState.SUCCEEDED, CallState.RUNNING) else "bad"
            bars.append(_bar(call.name, kind, call.started_at, call.finished_at, inside=True))
    bars += [
        _bar(
            child.title or child.kind,
            "child",
            child.started_at or child.created_at,
            child.finished_at,
            run=child,
        )
        for child in children
    ]
    end = max([end, *(bar["end"] for bar in bars if bar["run"] is None)])
    total = max((end - begin).total_seconds(), 0.001)
    for bar in bars:
        start = min(max((bar["start"] - begin).total_seconds() / total * WIDTH, 0), WIDTH - LEAST)
        bar["x"] = round(start)
        bar["w"] = round(
            min(max((bar["end"] - bar["start"]).total_seconds() / total * WIDTH, LEAST), WIDTH - start)
        )
        bar["ms"] = (bar["end"] - bar["start"]).total_seconds() * 1000
    return bars


def _bar(
    label: str,
    kind: str,
    start: datetime,
    end: datetime | None,
    *,
    inside: bool = False,
    run: Run | None = None,
) -> dict[str, Any]:
    return {
        "label": label,
        "kind": kind,
        "start": start,
        "end": end or timezone.now(),
        "inside": inside,
        "run": run,
    }
