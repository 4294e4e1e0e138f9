"""What is told to any set of people, perhaps in a room."""

from __future__ import annotations

from typing import Any, cast

from accounts.errors import AccountsError
from agents.context.knowledge import choose_knowledge, render_knowledge
from memory import queries
from memory.listeners import Listeners
from memory.recall import recall, recall_transcript
from tests.leaks.cases import Case, Path, hear_people
from tests.leaks.world import PEOPLE, ROOMS, World


def _listeners(world: World, case: Case) -> Listeners:
    room = world.rooms[case.room].pk if case.room else None
    return Listeners.of((world.people[name].pk for name in case.present), conversation_id=room)


def _shelf(world: World) -> dict[str, int]:
    return {"organization_id": world.acme.organization.pk, "agent_id": world.acme.agent.pk}


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


TOLD: dict[str, Path] = {
    "recall": Path(recalled, hear_people, ("query", "mode", "types")),
    "recall of a person or place": Path(recalled_of_a_person, hear_people, ("query", "pick")),
    "transcript recall": Path(said, hear_people, ("query",)),
    "transcript recall of one place": Path(said_in_one_place, hear_people, ("query", "pick")),
    "knowledge": Path(knowledge, hear_people),
    "door for runs": Path(door_for_runs, hear_people),
}
