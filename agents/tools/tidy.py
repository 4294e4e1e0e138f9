"""How branches put in order what is remembered: forgetting and merging. Both can be taken back by people."""

from __future__ import annotations

from pydantic import Field

from accounts.errors import AccountsError
from accounts.services import audit
from agents.errors import ToolRetry
from agents.tools.base import Arguments, Tool, ToolContext, ToolOutput
from agents.tools.heard import check_may_change, check_mode
from memory.models import Memory
from memory.services.consolidation import Merge, consolidate
from memory.services.editing import forget
from memory.types import Author

HOLDERS = frozenset({"branch"})


class MemoryForget(Arguments):
    memory_id: int
    reason: str = Field(min_length=3, max_length=300)


def memory_forget(context: ToolContext, arguments: MemoryForget) -> ToolOutput:
    run = context.run
    check_mode(run, "memory_forget")
    (memory,) = check_may_change(run, [arguments.memory_id])
    forget(memory, author=Author(run_id=run.pk), reason=arguments.reason)
    audit.record(
        None, run.agent.organization, "memory.forgotten", f"memory {memory.pk}",
        run=run.pk, requester=run.requester_user_id,
    )  # fmt: skip
    return ToolOutput(f"Memory {memory.pk} is forgotten. People can restore it.")


class MergeIn(Arguments):
    keep: int
    absorb: list[int] = Field(description="They go up in the one kept.", min_length=1, max_length=20)
    content: str = Field(
        description="What it then says, complete in itself.",
        min_length=3,
        max_length=8_000,
    )


class MemoryConsolidate(Arguments):
    merges: list[MergeIn] = Field(min_length=1, max_length=10)


def memory_consolidate(context: ToolContext, arguments: MemoryConsolidate) -> ToolOutput:
    run = context.run
    merges = [Merge(each.keep, frozenset(each.absorb), each.content) for each in arguments.merges]
    check_mode(run, "memory_consolidate")
    check_may_change(run, _asked_for(merges))
    try:
        done = consolidate(
            organization_id=run.organization_id,
            agent_id=run.agent_id,
            merges=merges,
            author=Author(run_id=run.pk),
        )
    except AccountsError as error:
        raise ToolRetry(str(error)) from None
    names = ", ".join(str(each.survivor_id) for each in done)
    return ToolOutput(f"Merged into memory {names}.")


def _asked_for(merges: list[Merge]) -> set[int]:
    """Return the memories that must be there: a call that is repeated after a crash finds its work done."""
    wanted = {pk for merge in merges for pk in (merge.survivor_id, *merge.absorbed_ids)}
    done = Memory.objects.filter(pk__in=wanted, superseded_by__in=[merge.survivor_id for merge in merges])
    return wanted - set(done.values_list("pk", flat=True))


TOOLS = (
    Tool(
        name="memory_forget",
        description="Take a memory out of recall that is wrong, out of date or unwanted.",
        arguments=MemoryForget,
        function=memory_forget,
        kinds=HOLDERS,
    ),
    Tool(
        name="memory_consolidate",
        description="Merge memories that say the same, all or none. They must be of one type and for the same people.",
        arguments=MemoryConsolidate,
        function=memory_consolidate,
        kinds=HOLDERS,
        transactional=False,
        repeatable=True,
    ),
)
