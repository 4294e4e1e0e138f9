"""Rows as the API and the events show them."""

from __future__ import annotations

from typing import Any

from agents.models import Agent, Checkpoint, Run, Step, ToolCall


def agent_payload(agent: Agent) -> dict[str, Any]:
    return {
        "id": agent.pk,
        "slug": agent.slug,
        "name": agent.name,
        "tagline": agent.tagline,
        "preset": agent.preset,
        "soul": agent.soul,
        "identity": agent.identity,
        "role": agent.role,
        "enabled": agent.enabled,
    }


def run_payload(run: Run, *, current_tool: str = "") -> dict[str, Any]:
    """Return a run without what only its inspector shows. `failure` is the text that is safe for people."""
    return {
        "id": run.pk,
        "kind": run.kind,
        "state": run.state,
        "waiting_for": run.waiting_for if run.state == "waiting" else "",
        "title": run.title,
        "interactive": run.interactive,
        "conversation_id": run.conversation_id,
        "parent_id": run.parent_id,
        "report_to_id": run.report_to_id,
        "agent_id": run.agent_id,
        "status_text": run.status_text,
        "outcome": run.outcome,
        "current_tool": current_tool,
        "failure": (run.failure or {}).get("message", ""),
        "result_text": run.result.get("text", "") if run.result else "",
        "created_at": _iso(run.created_at),
        "started_at": _iso(run.started_at),
        "finished_at": _iso(run.finished_at),
    }


def step_payload(step: Step) -> dict[str, Any]:
    return {
        "id": step.pk,
        "number": step.number,
        "added": step.added,
        "response": step.response,
        "model": step.model,
        "stop_reason": step.stop_reason,
        "input_tokens": step.input_tokens,
        "output_tokens": step.output_tokens,
        "cost_usd": str(step.cost_usd) if step.cost_usd is not None else None,
        "scrubbing": step.scrubbing,
        "started_at": _iso(step.started_at),
        "finished_at": _iso(step.finished_at),
        "tool_calls": [tool_call_payload(call) for call in step.tool_calls.all()],
    }


def tool_call_payload(call: ToolCall) -> dict[str, Any]:
    return {
        "id": call.pk,
        "name": call.name,
        "arguments": call.arguments,
        "state": call.state,
        "allowed_by": call.allowed_by,
        "result": call.result,
        "redactions": call.redactions,
        "started_at": _iso(call.started_at),
        "finished_at": _iso(call.finished_at),
    }


def checkpoint_payload(row: Checkpoint) -> dict[str, Any]:
    return {
        "id": row.pk,
        "conversation_id": row.conversation_id,
        "level": row.level,
        "from_seq": row.from_seq,
        "to_seq": row.to_seq,
        "title": row.title,
        "summary": row.summary,
        "run_id": row.run_id,
        "created_at": _iso(row.created_at),
    }


def _iso(moment: Any) -> str | None:
    return moment.isoformat() if moment else None
