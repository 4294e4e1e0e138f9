"""What is given to a model, or said by it, in a room."""

from __future__ import annotations

from agents.context import history, status
from agents.context.checkpoints import load_past
from agents.context.prompts import channel_system
from agents.models import RunKind
from agents.processes.branch import Branch
from agents.processes.compactor import Compactor
from agents.processes.keeper import Keeper
from agents.processes.worker import Worker
from memory.models import Memory
from tests.leaks.asking import claim_of, prompt_of, some_memory, upkeep, use
from tests.leaks.cases import Case, Path, hear_room
from tests.leaks.world import WORD, World


def channel_prompt(world: World, case: Case) -> str:
    room = world.rooms[case.place]
    return "\n".join(channel_system(world.branches[case.place].agent, room))


def status_texts(world: World, case: Case) -> str:
    room = world.rooms[case.place].pk
    return status.status_block(room) + status.render_reports(status.pending_reports(room))


def summaries(world: World, case: Case) -> str:
    return load_past(world.rooms[case.place].pk).render(window=8_000)


def what_was_said(world: World, case: Case) -> str:
    return history.render_lines(history.load_lines(world.rooms[case.place].pk, after_seq=0))


def branch_prompt(world: World, case: Case) -> str:
    run = world.branches[case.place]
    return prompt_of(Branch(run, claim_of(run)))


def worker_prompt(world: World, case: Case) -> str:
    run = world.workers[case.place]
    return prompt_of(Worker(run, claim_of(run)))


def keeper_prompt(world: World, case: Case) -> str:
    run = upkeep(world, case, RunKind.KEEPING, from_seq=1, to_seq=9)
    return prompt_of(Keeper(run, claim_of(run)))


def compactor_prompt(world: World, case: Case) -> str:
    run = upkeep(world, case, RunKind.COMPACTION, from_seq=1, to_seq=9)
    return prompt_of(Compactor(run, claim_of(run)))


def tool_recall(world: World, case: Case) -> str:
    return use(world, case, "memory_recall", query=case.query or WORD, limit=30)


def tool_recall_of_a_worker(world: World, case: Case) -> str:
    return use(world, case, "memory_recall", world.workers[case.place], query=case.query or WORD, limit=30)


def tool_transcript(world: World, case: Case) -> str:
    return use(world, case, "transcript_recall", query=case.query or WORD, limit=30)


def tool_save(world: World, case: Case) -> str:
    """Save what is nearly the same as what anyone was told: what is offered instead must be for these ears."""
    known = Memory.objects.filter(pk__in=world.memories, type="fact").values_list("content", flat=True)
    return "\n".join(
        use(world, case, "memory_save", content=f"{content.replace(' ', ', ')}!", type="fact")
        for content in known
    )


def tool_save_beside(world: World, case: Case) -> str:
    memory_id = some_memory(world, case)
    replaced = use(world, case, "memory_save", content="something new", type="fact", supersedes=memory_id)
    return replaced + use(
        world, case, "memory_save", content="something else", type="fact", contradicts=[memory_id]
    )


def tool_tidy(world: World, case: Case) -> str:
    memory_id = some_memory(world, case)
    other = world.memories[(case.pick * 7 + 1) % len(world.memories)]
    merge = {"keep": memory_id, "absorb": [other], "content": "one thing"}
    forgotten = use(world, case, "memory_forget", memory_id=memory_id, reason="it is wrong")
    return forgotten + use(world, case, "memory_consolidate", merges=[merge])


def tool_history(world: World, case: Case) -> str:
    found = use(world, case, "read_history", contains=case.query)
    return found + use(world, case, "expand_summary", from_seq=1, to_seq=1)


GIVEN: dict[str, Path] = {
    "channel prompt": Path(channel_prompt, hear_room, log=True),
    "status": Path(status_texts, hear_room, is_memory=False),
    "summaries": Path(summaries, hear_room, is_memory=False),
    "history": Path(what_was_said, hear_room, is_memory=False),
    "branch prompt": Path(branch_prompt, hear_room, is_memory=False, log=True),
    "worker prompt": Path(worker_prompt, hear_room, is_memory=False),
    "keeper prompt": Path(keeper_prompt, hear_room, is_memory=False),
    "compactor prompt": Path(compactor_prompt, hear_room, is_memory=False),
    "tool memory_recall": Path(tool_recall, hear_room, ("query",)),
    "tool memory_recall of a worker": Path(tool_recall_of_a_worker, hear_room, ("query",)),
    "tool transcript_recall": Path(tool_transcript, hear_room, ("query",)),
    "tool memory_save": Path(tool_save, hear_room),
    "tool memory_save beside another": Path(tool_save_beside, hear_room, ("pick",)),
    "tools that tidy": Path(tool_tidy, hear_room, ("pick",)),
    "tools that look back": Path(tool_history, hear_room, ("query",), is_memory=False),
}
SILENT = frozenset({"tool memory_save beside another", "tools that tidy"})
"""These answer with numbers and refusals only, and so never show a mark."""
