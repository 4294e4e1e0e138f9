"""For whom and for what a process asks models."""

from __future__ import annotations

from agents.processes.base import Process
from llm.services import CallContext


def call_context(process: Process) -> CallContext:
    """Return for whom and for what the process asks models."""
    run = process.run
    return CallContext(
        organization_id=run.organization_id,
        process=process.llm_process,
        agent_id=run.agent_id,
        run_id=run.pk,
        conversation_id=run.conversation_id,
        requester_user_id=run.requester_user_id,
        requester_person_id=run.requester_person_id,
        model_override=run.conversation.settings.get("model") if run.conversation else None,
        shield=process.shield,
    )
