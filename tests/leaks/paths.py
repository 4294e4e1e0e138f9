"""Every way in which what is remembered becomes text.

A new way is one function and one line: a function `(world, case) -> text` that reads as the code does, and its entry in
`PATHS` (or `LATELY` of `lately_paths`, which is asked in the same way) with who listens to it: `hear_people` for what is
told to any set of people, perhaps in a room; `hear_room` for what a model is given or says in a room; `hear_user` for what
one signed-in user is shown. `is_memory` says that the text comes from memory, where what was said in a conversation whose
memory is off must never appear; without it, the conversation's own history may. `retired` says that it may show what was
forgotten or replaced; `log`, what was replaced. The matrix then asks the new path about everyone, and fails if it shows a
mark that not all who listen may hear, or if it never shows any at all.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

from django.test import Client
from django.urls import reverse

from accounts.errors import AccountsError
from agents.api import memory_export
from agents.context import history, status
from agents.context.checkpoints import load_past
from agents.context.knowledge import choose_knowledge, render_knowledge
from agents.context.prompts import channel_system
from agents.engine.claims import Claim
from agents.errors import ToolFailed, ToolRetry
from agents.models import Run, RunKind
from agents.processes.base import Joined
from agents.processes.branch import Branch
from agents.processes.compactor import Compactor
from agents.processes.keeper import Keeper
from agents.processes.worker import Worker
from agents.tools import registry
from agents.tools.base import ToolContext
from memory import queries
from memory.listeners import Listeners
from memory.listing import Wanted
from memory.models import Memory
from memory.recall import recall, recall_transcript
from realtime.access import Visibility, viewer_for
from realtime.queries import last_number, list_frames
from tests.leaks.world import PEOPLE, ROOMS, WORD, World
from tests.matrix.world import undone


@dataclass(frozen=True)
class Case:
    """Who is there, where, who asks, and for what. A path uses what concerns it."""

    present: frozenset[str]
    room: str | None
    user: str
    query: str
    mode: str
    types: tuple[str, ...]
    pick: int

    @property
    def place(self) -> str:
        return self.room or "pair"

    @property
    def state(self) -> int:
        return self.pick % 3

    @property
    def around(self) -> int:
        """Return one of a few picks."""
        return self.pick % 12

    @property
    def past(self) -> int:
        return self.pick % 6


Ears = Callable[[Case], frozenset[str]]


def hear_people(case: Case) -> frozenset[str]:
    return case.present | (frozenset(ROOMS[case.room]) if case.room else frozenset())


def hear_room(case: Case) -> frozenset[str]:
    return frozenset(ROOMS[case.place])


def hear_user(case: Case) -> frozenset[str]:
    return frozenset({case.user})


@dataclass(frozen=True)
class Path:
    text: Callable[[World, Case], str]
    ears: Ears
    varies: tuple[str, ...] = ()
    """With what of a case, besides the listeners, its text varies."""
    is_memory: bool = True
    retired: bool = False
    log: bool = False
    """It tells what happened, and so what was true before it was replaced; but nothing that was forgotten."""
    everywhere: bool = False
    """`everywhere`: it shows what any agent of the organization knows, not what one does."""

    def agent(self, world: World, case: Case) -> str | None:
        if self.everywhere:
            return None
        return world.agent_of(case.place) if self.ears is hear_room else "spacebot"

    def key(self, case: Case) -> tuple[Any, ...]:
        """Return what of a case its text depends on, so that nothing is asked twice."""
        where = {hear_people: (case.present, case.room), hear_room: case.place, hear_user: case.user}
        return (where[self.ears], *(getattr(case, name) for name in self.varies))


def _listeners(world: World, case: Case) -> Listeners:
    room = world.rooms[case.room].pk if case.room else None
    return Listeners.of((world.people[name].pk for name in case.present), conversation_id=room)


def _shelf(world: World) -> dict[str, int]:
    return {"organization_id": world.acme.organization.pk, "agent_id": world.acme.agent.pk}


# What is told to people.


def recalled(world: World, case: Case) -> str:
    found = recall(
        case.query, **_shelf(world), listeners=_listeners(world, case), limit=50, mode=cast(Any, case.mode),
        types=case.types or (["fact"] if case.mode == "typed" else ()),
    )  # fmt: skip
    return str(found)


def recalled_of_a_person(world: World, case: Case) -> str:
    person = world.people[PEOPLE[case.pick % len(PEOPLE)]]
    found = recall(
        case.query, **_shelf(world), listeners=_listeners(world, case), limit=50, person_id=person.pk
    )
    room = world.rooms[list(ROOMS)[case.pick % len(ROOMS)]]
    more = recall(
        case.query, **_shelf(world), listeners=_listeners(world, case), limit=50, conversation_id=room.pk
    )
    return str([*found, *more])


def said(world: World, case: Case) -> str:
    return str(recall_transcript(case.query, **_shelf(world), listeners=_listeners(world, case), limit=50))


def said_in_one_place(world: World, case: Case) -> str:
    room = world.rooms[list(ROOMS)[case.pick % len(ROOMS)]]
    found = recall_transcript(
        case.query, **_shelf(world), listeners=_listeners(world, case), limit=50, conversation_id=room.pk
    )
    return str(found)


def knowledge(world: World, case: Case) -> str:
    told, left_out = choose_knowledge(*_shelf(world).values(), _listeners(world, case))
    return render_knowledge(*_shelf(world).values(), _listeners(world, case)) + str([told, left_out])


def door_for_runs(world: World, case: Case) -> str:
    found = []
    for memory_id in world.memories:
        try:
            found.append(
                queries.get_audible(*_shelf(world).values(), _listeners(world, case), memory_id).content
            )
        except AccountsError as error:
            found.append(str(error))
    return "\n".join(found)


# What is given to a model, or said by it, in a room.


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


def _given(process: Any) -> str:
    joined: Joined = process.collect(first=True)
    return "\n".join([*process.system(), *(message.text for message in joined.messages)])


def _claim(run: Run) -> Claim:
    return Claim(run.pk, run.conversation_id, run.fence, 60)


def branch_prompt(world: World, case: Case) -> str:
    run = world.branches[case.place]
    return _given(Branch(run, _claim(run)))


def worker_prompt(world: World, case: Case) -> str:
    run = world.workers[case.place]
    return _given(Worker(run, _claim(run)))


def _upkeep(world: World, case: Case, kind: RunKind, **values: Any) -> Run:
    branch = world.branches[case.place]
    return Run(
        pk=branch.pk, organization=branch.organization, agent=branch.agent, conversation=branch.conversation,
        kind=kind, input=values,
    )  # fmt: skip


def keeper_prompt(world: World, case: Case) -> str:
    run = _upkeep(world, case, RunKind.KEEPING, from_seq=1, to_seq=9)
    return _given(Keeper(run, _claim(run)))


def compactor_prompt(world: World, case: Case) -> str:
    run = _upkeep(world, case, RunKind.COMPACTION, from_seq=1, to_seq=9)
    return _given(Compactor(run, _claim(run)))


def _use(world: World, case: Case, name: str, run: Run | None = None, **arguments: Any) -> str:
    """Call a tool as a run of the room does; what it writes is taken back."""
    run = run or world.branches[case.place]
    tool = next(tool for tool in registry.TOOLS if tool.name == name)
    context = ToolContext(
        run=run,
        process=cast(Any, SimpleNamespace(window=128_000)),
        key="k",
        cancel=cast(Any, None),
        workspace=cast(Any, None),
    )
    with undone():
        try:
            return tool.function(context, tool.arguments.model_validate(arguments)).text
        except (ToolRetry, ToolFailed) as error:
            return str(error)


def tool_recall(world: World, case: Case) -> str:
    return _use(world, case, "memory_recall", query=case.query or WORD, limit=30)


def tool_recall_of_a_worker(world: World, case: Case) -> str:
    return _use(world, case, "memory_recall", world.workers[case.place], query=case.query or WORD, limit=30)


def tool_transcript(world: World, case: Case) -> str:
    return _use(world, case, "transcript_recall", query=case.query or WORD, limit=30)


def _some_memory(world: World, case: Case) -> int:
    return world.memories[case.pick % len(world.memories)]


def tool_save(world: World, case: Case) -> str:
    """Save what is nearly the same as what anyone was told: what is offered instead must be for these ears."""
    known = Memory.objects.filter(pk__in=world.memories, type="fact").values_list("content", flat=True)
    return "\n".join(
        _use(world, case, "memory_save", content=f"{content.replace(' ', ', ')}!", type="fact")
        for content in known
    )


def tool_save_beside(world: World, case: Case) -> str:
    memory_id = _some_memory(world, case)
    replaced = _use(world, case, "memory_save", content="something new", type="fact", supersedes=memory_id)
    return replaced + _use(
        world, case, "memory_save", content="something else", type="fact", contradicts=[memory_id]
    )


def tool_tidy(world: World, case: Case) -> str:
    memory_id = _some_memory(world, case)
    other = world.memories[(case.pick * 7 + 1) % len(world.memories)]
    merge = {"keep": memory_id, "absorb": [other], "content": "one thing"}
    forgotten = _use(world, case, "memory_forget", memory_id=memory_id, reason="it is wrong")
    return forgotten + _use(world, case, "memory_consolidate", merges=[merge])


def tool_history(world: World, case: Case) -> str:
    found = _use(world, case, "read_history", contains=case.query)
    return found + _use(world, case, "expand_summary", from_seq=1, to_seq=1)


# What one user is shown.


def _get(world: World, case: Case, address: str) -> str:
    client = _browser(world, case.user)
    return client.get(address).content.decode()


_browsers: dict[int, Client] = {}


def _browser(world: World, name: str) -> Client:
    user = world.actor(name).user
    if user.pk not in _browsers:
        _browsers[user.pk] = Client()
        _browsers[user.pk].force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return _browsers[user.pk]


def forget_browsers() -> None:
    """Browsers are signed in to one world only."""
    _browsers.clear()


def _agent_id(world: World, case: Case) -> int:
    return world.actor(case.user).organization.agents.order_by("-slug").values_list("pk", flat=True)[0]


def api_list(world: World, case: Case) -> str:
    state = ("live", "forgotten", "all")[case.state]
    return _get(world, case, f"/api/v1/memories?limit=100&state={state}&search={case.query}")


def api_search(world: World, case: Case) -> str:
    address = f"/api/v1/memories/search?limit=50&query={case.query}&agent_id={_agent_id(world, case)}"
    return _get(world, case, address)


def api_graph(world: World, case: Case) -> str:
    memory_id = world.memories[case.around * 9 % len(world.memories)]
    around = f"&around={memory_id}" if case.around else ""
    return _get(world, case, f"/api/v1/memories/graph?limit=500&agent_id={_agent_id(world, case)}{around}")


def api_one(world: World, case: Case) -> str:
    """Ask for one memory, whoever's it is, with its edges and its past."""
    memory_id = _some_memory(world, case)
    return _get(world, case, f"/api/v1/memories/{memory_id}") + _get(
        world, case, f"/api/v1/memories/{memory_id}/associations"
    )


def api_past(world: World, case: Case) -> str:
    """Ask for the memories whose past is not everyone's."""
    memory_id = world.memories[-(1 + case.past)]
    return _get(world, case, f"/api/v1/memories/{memory_id}") + page_past(world, case)


def page_past(world: World, case: Case) -> str:
    memory_id = world.memories[-(1 + case.past)]
    return _get(world, case, reverse("memory", args=[memory_id]))


def api_inbox(world: World, case: Case) -> str:
    return _get(world, case, "/api/v1/memories/inbox?limit=100")


def export(world: World, case: Case) -> str:
    """Read the pages of the export as its stream does."""
    filters = Wanted(search=case.query, state=("live", "forgotten", "all")[case.state])  # type: ignore[arg-type]
    text, before = "", None
    while page := memory_export._page(world.actor(case.user), filters, before):
        text += "\n".join(line for _, line in page)
        before = page[-1][0]
    return text


def api_runs(world: World, case: Case) -> str:
    return _get(world, case, "/api/v1/runs?limit=100")


def api_steps(world: World, case: Case) -> str:
    runs = (world.branches[case.place], world.workers[case.place])
    return "".join(_get(world, case, f"/api/v1/runs/{run.pk}/steps") for run in runs)


def page_run(world: World, case: Case) -> str:
    return _get(world, case, reverse("run", args=[world.branches[case.place].pk]))


def api_conversations(world: World, case: Case) -> str:
    room = world.rooms[case.place].pk
    return _get(world, case, f"/api/v1/conversations?limit=100&search={case.query}") + _get(
        world, case, f"/api/v1/conversations/{room}/messages"
    )


def page_chat(world: World, case: Case) -> str:
    return _get(world, case, reverse("conversation", args=[world.rooms[case.place].pk]))


def page_told(world: World, case: Case) -> str:
    return _get(world, case, f"{reverse('memory_told')}?conversation={world.rooms[case.place].pk}")


def pages_of_memory(world: World, case: Case) -> str:
    names = ("memories", "memory_graph", "memory_inbox")
    return _get(world, case, f"{reverse(names[case.past % len(names)])}?q={case.query}")


def page_home(world: World, case: Case) -> str:
    return _get(world, case, reverse("home"))


def events_stored(world: World, case: Case) -> str:
    return _get(world, case, "/api/v1/events/history?limit=100")


def events_streamed(world: World, case: Case) -> str:
    """Ask the stream's own door about every event of both organizations."""
    viewer = viewer_for(world.actor(case.user))
    frames = list_frames(viewer.organization_id, 0, last_number(viewer.organization_id), 1_000)

    async def seen() -> list[str]:
        visibility = Visibility()
        return [frame.text for frame in frames if await visibility.may_see(viewer, frame)]

    return json.dumps(asyncio.run(seen()))


def as_user(text: Callable[[World, Case], str], **more: Any) -> Path:
    return Path(text, hear_user, **{"is_memory": False, "everywhere": True, **more})


PATHS: dict[str, Path] = {
    "recall": Path(recalled, hear_people, ("query", "mode", "types")),
    "recall of a person or place": Path(recalled_of_a_person, hear_people, ("query", "pick")),
    "transcript recall": Path(said, hear_people, ("query",)),
    "transcript recall of one place": Path(said_in_one_place, hear_people, ("query", "pick")),
    "knowledge": Path(knowledge, hear_people),
    "door for runs": Path(door_for_runs, hear_people),
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
    "API list": Path(api_list, hear_user, ("query", "state"), retired=True, everywhere=True),
    "API search": Path(api_search, hear_user, ("query",)),
    "API graph": Path(api_graph, hear_user, ("around",)),
    "API one memory": Path(api_one, hear_user, ("pick",), retired=True, everywhere=True),
    "API and page of a past": Path(api_past, hear_user, ("past",), retired=True, everywhere=True),
    "API inbox": Path(api_inbox, hear_user, everywhere=True),
    "export": Path(export, hear_user, ("query", "state"), retired=True, everywhere=True),
    "API runs": as_user(api_runs),
    "API steps": as_user(api_steps, varies=("place",)),
    "page of a run": as_user(page_run, varies=("place",)),
    "API conversations": as_user(api_conversations, varies=("place", "query")),
    "page of a chat": as_user(page_chat, varies=("place",)),
    "page of what is told": as_user(page_told, varies=("place",), is_memory=True, log=True),
    "pages of memory": as_user(pages_of_memory, varies=("past",), is_memory=True, retired=True),
    "front page": as_user(page_home),
    "events stored": as_user(events_stored),
    "events streamed": as_user(events_streamed),
}
SILENT = frozenset({"tool memory_save beside another", "tools that tidy"})
"""These answer with numbers and refusals only, and so never show a mark."""
