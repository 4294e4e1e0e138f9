"""What one signed-in user is shown."""

from __future__ import annotations

import asyncio
import json

from django.urls import reverse

from agents.api import memory_export
from memory.listing import Wanted
from realtime.access import Visibility, viewer_for
from realtime.queries import last_number, list_frames
from tests.leaks.asking import get, some_memory
from tests.leaks.cases import Case, Path, as_user, hear_user
from tests.leaks.world import World


def _agent_id(world: World, case: Case) -> int:
    return world.actor(case.user).organization.agents.order_by("-slug").values_list("pk", flat=True)[0]


def api_list(world: World, case: Case) -> str:
    state = ("live", "forgotten", "all")[case.state]
    return get(world, case, f"/api/v1/memories?limit=100&state={state}&search={case.query}")


def api_search(world: World, case: Case) -> str:
    address = f"/api/v1/memories/search?limit=50&query={case.query}&agent_id={_agent_id(world, case)}"
    return get(world, case, address)


def api_graph(world: World, case: Case) -> str:
    memory_id = world.memories[case.around * 9 % len(world.memories)]
    around = f"&around={memory_id}" if case.around else ""
    return get(world, case, f"/api/v1/memories/graph?limit=500&agent_id={_agent_id(world, case)}{around}")


def api_one(world: World, case: Case) -> str:
    """Ask for one memory, whoever's it is, with its edges and its past."""
    memory_id = some_memory(world, case)
    return get(world, case, f"/api/v1/memories/{memory_id}") + get(
        world, case, f"/api/v1/memories/{memory_id}/associations"
    )


def api_past(world: World, case: Case) -> str:
    """Ask for the memories whose past is not everyone's."""
    memory_id = world.memories[-(1 + case.past)]
    return get(world, case, f"/api/v1/memories/{memory_id}") + page_past(world, case)


def page_past(world: World, case: Case) -> str:
    memory_id = world.memories[-(1 + case.past)]
    return get(world, case, reverse("memory", args=[memory_id]))


def api_inbox(world: World, case: Case) -> str:
    return get(world, case, "/api/v1/memories/inbox?limit=100")


def export(world: World, case: Case) -> str:
    """Read the pages of the export as its stream does."""
    filters = Wanted(search=case.query, state=("live", "forgotten", "all")[case.state])  # type: ignore[arg-type]
    text, before = "", None
    while page := memory_export._page(world.actor(case.user), filters, before):
        text += "\n".join(line for _, line in page)
        before = page[-1][0]
    return text


def api_runs(world: World, case: Case) -> str:
    return get(world, case, "/api/v1/runs?limit=100")


def api_steps(world: World, case: Case) -> str:
    runs = (world.branches[case.place], world.workers[case.place])
    return "".join(get(world, case, f"/api/v1/runs/{run.pk}/steps") for run in runs)


def page_run(world: World, case: Case) -> str:
    return get(world, case, reverse("run", args=[world.branches[case.place].pk]))


def api_conversations(world: World, case: Case) -> str:
    room = world.rooms[case.place].pk
    return get(world, case, f"/api/v1/conversations?limit=100&search={case.query}") + get(
        world, case, f"/api/v1/conversations/{room}/messages"
    )


def page_chat(world: World, case: Case) -> str:
    return get(world, case, reverse("conversation", args=[world.rooms[case.place].pk]))


def page_told(world: World, case: Case) -> str:
    return get(world, case, f"{reverse('memory_told')}?conversation={world.rooms[case.place].pk}")


def pages_of_memory(world: World, case: Case) -> str:
    names = ("memories", "memory_graph", "memory_inbox")
    return get(world, case, f"{reverse(names[case.past % len(names)])}?q={case.query}")


def page_home(world: World, case: Case) -> str:
    return get(world, case, reverse("home"))


def events_stored(world: World, case: Case) -> str:
    return get(world, case, "/api/v1/events/history?limit=100")


def events_streamed(world: World, case: Case) -> str:
    """Ask the stream's own door about every event of both organizations."""
    viewer = viewer_for(world.actor(case.user))
    frames = list_frames(viewer.organization_id, 0, last_number(viewer.organization_id), 1_000)

    async def seen() -> list[str]:
        visibility = Visibility()
        return [frame.text for frame in frames if await visibility.may_see(viewer, frame)]

    return json.dumps(asyncio.run(seen()))


SHOWN: dict[str, Path] = {
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
