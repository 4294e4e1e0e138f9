"""Two people who decide at the same moment: one of them was first."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.db import connection

from accounts.actor import Actor
from accounts.errors import AccountsError, Conflict
from tasks.models import Approval
from tasks.services.approvals.deciding import decide
from tasks.services.board import create_task, edit_task
from tasks.services.moves import approve_task
from tests.factories import make_team
from tests.tasks.conftest import agent_of
from tests.tasks.counting import Counted, ask_for


def at_once(*acts: Callable[[], object]) -> list[BaseException]:
    barrier, errors = threading.Barrier(len(acts)), []

    def run(act: Callable[[], object]) -> None:
        barrier.wait()
        try:
            act()
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("verdicts", [("approve", "reject"), ("approve", "approve"), ("reject", "reject")])
def test_of_two_who_decide_at_once_one_was_first(counted: Counted, verdicts: tuple[str, str]) -> None:
    team = make_team("acme")
    for number in range(5):
        asked = ask_for(team, origin_key=str(number))
        deciders: tuple[Actor, Actor] = (team.moderator, team.admin)
        errors = at_once(
            *(
                lambda who=who, verdict=verdict: decide(who, asked.pk, verdict)  # noqa: B023
                for who, verdict in zip(deciders, verdicts, strict=True)
            )
        )
        assert [type(error) for error in errors] == [Conflict]
        state = Approval.objects.get(pk=asked.pk).state
        assert state in ("executed", "rejected")
        assert counted.done.count(asked.pk) == (state == "executed")


@pytest.mark.django_db(transaction=True)
def test_of_two_doors_of_one_proposal_one_was_first() -> None:
    """The board and the inbox, and an agent that changes the words meanwhile."""
    team = make_team("acme")
    for number in range(6):
        task = create_task(agent_of(team), title=f"Work {number}")
        approval = Approval.objects.get(task=task)
        errors = at_once(
            lambda: decide(team.moderator, approval.pk, "reject"),  # noqa: B023
            lambda: approve_task(team.admin, task.number, expected_revision=1),  # noqa: B023
            lambda: edit_task(agent_of(team), task.number, title="Other words"),  # noqa: B023
        )
        task.refresh_from_db()
        states = list(Approval.objects.filter(task=task).order_by("id").values_list("state", flat=True))
        approved = [*Approval.objects.filter(task=task, state="executed").values_list("action", flat=True)]
        assert all(isinstance(error, AccountsError) for error in errors), errors
        assert len([state for state in states if state in ("executed", "rejected")]) <= 1
        if task.state == "ready":
            assert [each["title"] for each in approved] == [task.title]
        elif task.archived_at is None:
            assert states[-1] == "open"
        else:
            assert "rejected" in states
