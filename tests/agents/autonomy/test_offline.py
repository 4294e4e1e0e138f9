"""Without a model the built-in rules carry approved tasks forward, so that autonomy can be tried on the first minute."""

from __future__ import annotations

from agents.models import Run, RunKind
from llm.models import Provider, Route
from llm.services.routing import forget_routing
from tasks.models import TaskState
from tests.agents.autonomy.conftest import Alone


def test_the_offline_model_starts_what_is_ready_and_says_so(alone: Alone) -> None:
    Route.objects.all().delete()
    Provider.objects.all().delete()
    forget_routing(alone.team.organization.pk)
    alone.let("act")
    alone.task("A plan", description="Not ready [the board] - #7 (ready; yours)")
    task = alone.task("Write a file notes.txt saying hello", priority="high")
    run = alone.work()
    task.refresh_from_db()
    assert task.state == TaskState.DONE
    assert run.result["summary"].startswith(f"Task #{task.number}: A worker is on it")
    assert Run.objects.filter(kind=RunKind.WORKER).count() == 1
