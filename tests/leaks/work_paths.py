"""Ways in which the work of a room becomes text: goals, grants, the ledger, proposals, and the prompt of a scheduled run."""

from __future__ import annotations

from django.urls import reverse

from agents.models import RunKind
from agents.processes.cron import Cron
from tests.leaks.asking import claim_of, get, prompt_of, upkeep, use
from tests.leaks.cases import Case, Path, as_user, hear_room
from tests.leaks.world import World


def api_goals(world: World, case: Case) -> str:
    pk = world.lately.work[case.place].goal.pk
    return get(world, case, "/api/v1/goals?limit=100") + get(world, case, f"/api/v1/goals/{pk}")


def pages_of_goals(world: World, case: Case) -> str:
    pk = world.lately.work[case.place].goal.pk
    return get(world, case, reverse("goals")) + get(world, case, reverse("goal", args=[pk]))


def grants(world: World, case: Case) -> str:
    return get(world, case, "/api/v1/grants?limit=100") + get(world, case, reverse("grants"))


def ledger(world: World, case: Case) -> str:
    pk = world.lately.schedules[case.place].pk
    return get(world, case, f"/api/v1/schedules/{pk}/firings?limit=100")


def held_tasks(world: World, case: Case) -> str:
    number = world.lately.work[case.place].held.number
    addresses = (
        f"/api/v1/tasks/{number}",
        f"/api/v1/tasks/{number}/comments",
        reverse("task", args=[number]),
    )
    return "".join(get(world, case, each) for each in addresses)


def proposals(world: World, case: Case) -> str:
    addresses = [
        address
        for approval in world.lately.work[case.place].proposals
        for address in (f"/api/v1/approvals/{approval.pk}", reverse("approval", args=[approval.pk]))
    ]
    lists = (f"{reverse('approvals')}?show=open", "/api/v1/approvals?state=open&limit=100")
    return "".join(get(world, case, each) for each in (*lists, *addresses))


def scheduled_prompt(world: World, case: Case) -> str:
    schedule = world.lately.schedules[case.place]
    run = upkeep(
        world, case, RunKind.CRON, firing_id=0, prompt=schedule.prompt, time_zone="UTC", timeout_s=60,
    )  # fmt: skip
    run.title = schedule.name
    return prompt_of(Cron(run, claim_of(run)))


def tools_of_the_board(world: World, case: Case) -> str:
    return "\n".join(use(world, case, name) for name in ("goal_list", "task_list"))


WORK: dict[str, Path] = {
    "API goals": as_user(api_goals, varies=("place",)),
    "pages of goals": as_user(pages_of_goals, varies=("place",)),
    "grants": as_user(grants),
    "ledger": as_user(ledger, varies=("place",)),
    "tasks held from outside": as_user(held_tasks, varies=("place",)),
    "proposals": as_user(proposals, varies=("place",)),
    "prompt of a scheduled job": Path(scheduled_prompt, hear_room, is_memory=False),
    "tools of the board": Path(tools_of_the_board, hear_room, is_memory=False, everywhere=True),
}
