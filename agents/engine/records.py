"""Steps, their calls and prompts as rows, written in the journal's transactions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone

from agents.context.prompts import VERSION
from agents.engine.codec import encode_response
from agents.models import CallState, Prompt, Run, Step, ToolCall
from agents.processes.base import Joined
from agents.tools.gate import PreparedCall
from llm.types import ChatResponse, ToolSpec


def key_of(run_id: int, number: int, position: int) -> str:
    """Return the idempotency key of a call: its run, its step, its place in it."""
    return f"run{run_id}.{number}.{position}"


def store_step(
    run: Run,
    number: int,
    response: ChatResponse,
    *,
    added: Sequence[dict[str, Any]],
    joined: Joined,
    cost_usd: Decimal | None,
    asked_at: datetime,
    scrubbing: dict[str, Any],
) -> Step:
    """Store a step with the messages that were added before it, what they joined, and what was taken out of either."""
    forms = list(added)
    if joined.seq or joined.report_ids or joined.input_ids:
        reports, inputs = list(joined.report_ids), list(joined.input_ids)
        forms.append({"role": "joined", "seq": joined.seq, "reports": reports, "inputs": inputs})
    usage = response.usage
    return Step.objects.create(
        organization_id=run.organization_id,
        run_id=run.pk,
        number=number,
        added=forms,
        response=encode_response(response),
        model=response.model,
        stop_reason=response.stop_reason,
        input_tokens=usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens,
        output_tokens=usage.output_tokens,
        cost_usd=cost_usd,
        scrubbing=scrubbing,
        started_at=asked_at,
        finished_at=timezone.now(),
    )


def store_calls(step: Step, calls: Iterable[PreparedCall]) -> None:
    ToolCall.objects.bulk_create(
        ToolCall(
            organization_id=step.organization_id,
            run_id=step.run_id,
            step_id=step.pk,
            position=call.position,
            call_id=call.call.id[:120],
            name=call.call.name[:80],
            arguments=call.arguments,
            repeatable=call.repeatable,
            key=key_of(step.run_id, step.number, call.position),
            **_state_of(call),
        )
        for call in calls
    )


def update_call(step: Step, call: PreparedCall) -> None:
    """Store what became of a call; one that is closed already keeps its end."""
    open_states = [CallState.RUNNING, CallState.WAITING]
    rows = ToolCall.objects.filter(step_id=step.pk, position=call.position, state__in=open_states)
    rows.update(**_state_of(call))


def _state_of(call: PreparedCall) -> dict[str, Any]:
    unfinished = call.is_open or call.state == CallState.WAITING
    return {
        "state": call.state,
        "result": call.result,
        "redactions": call.redactions,
        "allowed_by": call.allowed_by,
        "started_at": call.started_at,
        "finished_at": None if unfinished else timezone.now(),
    }


_prompts: dict[tuple[int, tuple[str, ...], tuple[int, ...]], tuple[int, tuple[ToolSpec, ...]]] = {}
"""The row of each prompt, by organization, words and specs; those are kept beside it, so that none is taken for another."""


def store_prompt(run: Run, system: tuple[str, ...], tools: tuple[ToolSpec, ...]) -> None:
    """Attach the prompt to the run in memory, storing it once per content. The journal saves it with a step."""
    key = (run.organization_id, system, tuple(id(spec) for spec in tools))
    if key not in _prompts:
        if len(_prompts) > 500:
            _prompts.clear()
        _prompts[key] = (_find_or_store(run.organization_id, system, tools), tools)
    run.prompt_id = _prompts[key][0]


def _find_or_store(organization_id: int, system: tuple[str, ...], tools: tuple[ToolSpec, ...]) -> int:
    specs = [{"name": t.name, "description": t.description, "parameters": t.parameters} for t in tools]
    digest = hashlib.sha256(json.dumps([system, specs], sort_keys=True).encode()).hexdigest()
    prompt, _ = Prompt.objects.get_or_create(
        organization_id=organization_id,
        digest=digest,
        defaults={"version": VERSION, "system": list(system), "tools": specs},
    )
    return prompt.pk
