"""Ways in which what happened lately, and the work of a room, becomes text. Entered in `PATHS` as all others are."""

from __future__ import annotations

from django.urls import reverse

from agents.context.working.around import look_around_for
from agents.context.working.snapshot import read_snapshot
from agents.models import Agent, Run, RunKind, WorkingState
from agents.processes.channel import Channel
from agents.processes.colleague import Colleague
from agents.processes.synthesiser import Synthesiser
from agents.services.summing_up import _lock_state, _material
from memory import types
from memory.types import HeardBy
from realtime.services import unit_of_work
from tests.leaks.asking import claim_of, get, prompt_of, upkeep, use
from tests.leaks.cases import Case, Path, as_user, hear_room, hear_user
from tests.leaks.world import World
from tests.matrix.world import undone

INSPECTING = {
    "list_runs": {"limit": 100},
    "list_failures": {},
    "list_unsettled": {},
    "system_overview": {},
    "costs": {},
    "cortex_state": {},
    "configuration": {},
    "memory_statistics": {},
}


def _agent(world: World, case: Case) -> Agent:
    return world.branches[case.place].agent


def snapshot(world: World, case: Case) -> str:
    """Everything that leaves the database, before budgets cut it."""
    room = world.rooms[case.place]
    room.refresh_from_db()
    return read_snapshot(_agent(world, case), room).content if case.place != "hush" else ""


def event_log(world: World, case: Case) -> str:
    return look_around_for(_agent(world, case), world.rooms[case.place]).log.text


def conversation_map(world: World, case: Case) -> str:
    return look_around_for(_agent(world, case), world.rooms[case.place]).rooms.text


def participants(world: World, case: Case) -> str:
    return look_around_for(_agent(world, case), world.rooms[case.place]).people.text


def channel_turn(world: World, case: Case) -> str:
    run = upkeep(world, case, RunKind.CHANNEL)
    return prompt_of(Channel(run, claim_of(run)))


def colleague_prompt(world: World, case: Case) -> str:
    asked = world.branches[case.place].input["task"]
    run = upkeep(world, case, RunKind.COLLEAGUE, asked_by="Spacebot", task=asked)
    return prompt_of(Colleague(run, claim_of(run)))


def synthesis_material(agent: Agent, heard_by: HeardBy) -> str:
    """Return what runs that sum up are given for one audience: a part of each of its days, and the days."""
    texts = []
    with undone(), unit_of_work():
        state = _lock_state(agent, heard_by)
        days = {row.day for row in agent.workingevent_set.filter(reach=state.reach)}
        for day in sorted(days):
            for kind in ("intraday", "daily"):
                texts.append(_given_to_sum_up(agent, state, _material(state, day, kind).as_input()))
    return "\n".join(texts)


def _given_to_sum_up(agent: Agent, state: WorkingState, given: dict[str, object]) -> str:
    run = Run(pk=1, organization_id=agent.organization_id, agent=agent, kind=RunKind.SYNTHESIS, input=given)
    return prompt_of(Synthesiser(run, claim_of(run)))


def summing_up_a_room(world: World, case: Case) -> str:
    return synthesis_material(_agent(world, case), types.conversation(world.rooms[case.place].pk))


def summing_up_a_person(world: World, case: Case) -> str:
    team = world.rivals if case.user == "stranger" else world.acme
    return synthesis_material(team.agent, types.person(world.people[case.user].pk))


def api_working_memory(world: World, case: Case) -> str:
    return get(world, case, f"/api/v1/conversations/{world.rooms[case.place].pk}/working-memory")


def api_events(world: World, case: Case) -> str:
    agents = Agent.objects.values_list("pk", flat=True)
    room = world.rooms[case.place].pk
    return "".join(
        get(world, case, f"/api/v1/agents/{pk}/events?limit=100")
        + get(world, case, f"/api/v1/agents/{pk}/events?limit=100&conversation_id={room}")
        for pk in agents
    )


def api_syntheses(world: World, case: Case) -> str:
    agents = Agent.objects.values_list("pk", flat=True)
    return "".join(get(world, case, f"/api/v1/agents/{pk}/syntheses?limit=100") for pk in agents)


def cortex_tools(world: World, case: Case) -> str:
    """Ask the system everything, and about the runs of a room, as a user does in a private chat with it."""
    chat = world.lately.chats[case.user]
    run = Run(
        pk=1, organization_id=chat.organization_id, agent_id=chat.agent_id, conversation=chat, kind=RunKind.CHANNEL,
        requester_user=world.actor(case.user).user,
    )  # fmt: skip
    told = [use(world, case, name, run, **arguments) for name, arguments in INSPECTING.items()]
    for asked in (world.branches[case.place], world.workers[case.place]):
        told.append(use(world, case, "inspect_run", run, run_id=asked.pk))
    return "\n".join(told)


def tasks(world: World, case: Case) -> str:
    address = f"/api/v1/tasks/{world.lately.tasks[case.place].number}"
    return "".join(
        get(world, case, each) for each in ("/api/v1/tasks?limit=100", address, f"{address}/revisions")
    )


def pages_of_tasks(world: World, case: Case) -> str:
    number = world.lately.tasks[case.place].number
    return get(world, case, reverse("board")) + get(world, case, reverse("task", args=[number]))


def approvals(world: World, case: Case) -> str:
    one = [f"/api/v1/approvals/{row.pk}" for row in world.lately.approvals[case.place]]
    return "".join(get(world, case, each) for each in ("/api/v1/approvals?limit=100", *one))


def pages_of_approvals(world: World, case: Case) -> str:
    one = [reverse("approval", args=[row.pk]) for row in world.lately.approvals[case.place]]
    return "".join(get(world, case, each) for each in (reverse("approvals"), *one))


def schedules(world: World, case: Case) -> str:
    pk = world.lately.schedules[case.place].pk
    return "".join(
        get(world, case, each)
        for each in (
            "/api/v1/schedules?limit=100",
            f"/api/v1/schedules/{pk}",
            reverse("schedules"),
            reverse("schedule", args=[pk]),
        )
    )


def notices(world: World, case: Case) -> str:
    return get(world, case, "/api/v1/notices?limit=100") + get(world, case, reverse("notices"))


LATELY: dict[str, Path] = {
    "working memory as it is read": Path(snapshot, hear_room, log=True),
    "event log": Path(event_log, hear_room, log=True),
    "conversation map": Path(conversation_map, hear_room),
    "participants": Path(participants, hear_room, log=True),
    "channel turn": Path(channel_turn, hear_room, is_memory=False, log=True),
    "colleague prompt": Path(colleague_prompt, hear_room, is_memory=False),
    "summing up a room": Path(summing_up_a_room, hear_room, log=True),
    "summing up a person": Path(summing_up_a_person, hear_user, log=True),
    "API working memory": as_user(api_working_memory, varies=("place",), is_memory=True, log=True),
    "API of what happened": as_user(api_events, varies=("place",), is_memory=True, log=True),
    "API syntheses": as_user(api_syntheses, is_memory=True, log=True),
    "tools of the cortex chat": as_user(cortex_tools, varies=("place",)),
    "API tasks": as_user(tasks, varies=("place",)),
    "pages of tasks": as_user(pages_of_tasks, varies=("place",)),
    "API approvals": as_user(approvals, varies=("place",)),
    "pages of approvals": as_user(pages_of_approvals, varies=("place",)),
    "schedules": as_user(schedules, varies=("place",)),
    "notices": as_user(notices),
}
