"""A process that tests kill while it keeps, merges and summarises: `python -m tests.faults.memory_victim`.

For each line it reads it forks a child that works until nothing is left, as a worker with one thread would, and answers
with the child's exit code. So one start serves many deaths. The children's models are here.
"""

from __future__ import annotations

import os
import sys

import django
from django.utils import timezone

MOST_RUNS = 60


def main() -> None:
    django.setup()
    from django.db import connection

    import agents.engine.executor  # noqa: F401  imported once, before the forks

    for _ in sys.stdin:
        connection.close_pool()
        child = os.fork()
        if child == 0:
            work()
            os._exit(0)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def work() -> None:
    from agents.engine import claims, recovery
    from agents.engine.executor import execute_run
    from agents.models import Run, RunState
    from llm.clients import scripted
    from llm.types import ChatRequest

    claims._STARTED = claims._process_started()  # This process began with the fork.

    def think(request: ChatRequest) -> scripted.Scripted:
        return keep(request) if "You keep the memory" in request.system[0] else merge(request)

    scripted.install("channel-script", lambda request: scripted.call("reply", content="ok"))
    scripted.install("branch-script", think)
    scripted.install("compactor-script", lambda request: scripted.say("Title: A part\nThey said things."))
    recovery.expire_dead_owners()
    for _ in range(MOST_RUNS):
        Run.objects.filter(state=RunState.QUEUED).update(due_at=timezone.now())
        live = Run.objects.filter(state__in=[RunState.QUEUED, RunState.RUNNING]).order_by("id")
        if not any(execute_run(run.pk, run.kind, run.conversation_id) for run in live[:1]):
            break


def _results(request: object) -> list[str]:
    return [m.text for m in request.messages if type(m).__name__ == "ToolResult"]  # type: ignore[attr-defined]


def keep(request: object) -> object:
    """Save two things that the conversation names, one step each, then name what was saved."""
    import re

    from llm.clients.scripted import call

    results = _results(request)
    if len(results) < 2:
        stretch = re.search(r"stretch \d+", request.messages[0].text)  # type: ignore[attr-defined]
        assert stretch is not None
        what = ("tea", "trains")[len(results)]
        return call("memory_save", content=f"In {stretch[0]} they spoke of {what}", type="fact")
    numbers = [int(number) for text in results for number in re.findall(r"memory (\d+)", text)]
    return call("finish_keeping", memory_ids=numbers)


def merge(request: object) -> object:
    """Merge what the question names, then conclude with what came of it."""
    import re

    from llm.clients.scripted import call

    results = _results(request)
    if results:
        return call("conclude", status="done", conclusion=results[-1])
    text = request.messages[-1].text  # type: ignore[attr-defined]
    found = re.search(r"merge (\d+) and (\d+)", text)
    assert found is not None, text
    one = {"keep": int(found[1]), "absorb": [int(found[2])], "content": f"Both {found[1]} and {found[2]}"}
    return call("memory_consolidate", merges=[one])


if __name__ == "__main__":
    main()
