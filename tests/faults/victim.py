"""Processes that tests kill: `python -m tests.faults.victim`, started once for many deaths.

For each line, a JSON list of a process's name and what it is to do, it forks a child, which is that process, and answers with
its exit code. To do: `work`, `remember`, `say ACTOR CONVERSATION TEXT`, `tick MOMENT`, `look MOMENT`.
"""

from __future__ import annotations

import json
import os
import sys
import traceback

import django
from django.utils import timezone

MOST_RUNS = 200


def main() -> None:
    django.setup()
    from django.db import connection

    import agents.engine.executor  # noqa: F401  imported once, before the forks

    for line in sys.stdin:
        connection.close_pool()
        child = os.fork()
        if child == 0:
            os._exit(_child(*json.loads(line)))
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def _child(process: str, command: str, *arguments: str) -> int:
    from accounts import boundaries
    from agents.engine import claims

    boundaries.PROCESS = process
    claims._STARTED = claims._process_started()  # This process began with the fork.
    try:
        COMMANDS[command](*arguments)
    except Exception:
        traceback.print_exc()
        return 1
    return 0


def say(user_id: str, conversation_id: str, text: str) -> None:
    """Send a message as a web process does; the text is its client id too."""
    from accounts.models import User
    from accounts.queries import get_actor
    from agents.services.conversations import send_message

    actor = get_actor(User.objects.get(pk=int(user_id)), None)
    send_message(actor, int(conversation_id), text=text, client_id=text)


def tick(moment: str) -> None:
    """Let the clock of schedules tick once, at this moment."""
    from datetime import datetime

    from tasks.services.schedules import clock

    clock.tick(now=datetime.fromisoformat(moment))


def look(moment: str) -> None:
    """Start the agents that are due by themselves at this moment."""
    from datetime import datetime

    from agents.autonomy import starting

    starting.start_due(now=datetime.fromisoformat(moment))


def work() -> None:
    """Execute what the database holds until nothing is left, as a worker with one thread would, with the model of the benches."""
    from llm.clients import scripted
    from llm.models import Process

    for process in (Process.CHANNEL, Process.BRANCH, Process.WORKER):
        scripted.install(f"{process}-script", _answer)
    scripted.install("cortex-script", lambda request: scripted.say("What happened, in short."))
    _execute_all()


def remember() -> None:
    """Do the same with models that keep, merge and summarise."""
    from tests.faults import memory_models

    memory_models.install()
    _execute_all()


def _execute_all() -> None:
    """Go on until it must have finished; it dies before that, or nothing is left."""
    from agents.engine import recovery
    from agents.engine.executor import execute_run
    from agents.models import Run, RunState

    recovery.expire_dead_owners()
    for _ in range(MOST_RUNS):
        Run.objects.filter(state=RunState.QUEUED).update(due_at=timezone.now())
        live = Run.objects.filter(state__in=[RunState.QUEUED, RunState.RUNNING]).order_by("id")
        if not any(execute_run(run.pk, run.kind, run.conversation_id) for run in live[:1]):
            break


def _answer(request: object) -> object:
    from llm.clients.endpoint import Endpoint, Target
    from llm.clients.openai_chat import request_body
    from llm.clients.scripted import Scripted, call
    from llm.types import ChatRequest, ToolCall
    from spacebot_site.bench.brain import answer

    assert isinstance(request, ChatRequest)
    if any(tool.name == "finish" for tool in request.tools):
        return call("finish", summary="Looked at the board; nothing else to do.")
    target = Target(endpoint=Endpoint(kind="scripted", api_key=""), model="script")
    found = answer(request_body(request, target))
    calls = tuple(
        ToolCall(f"call_{index}", name, json.dumps(arguments))
        for index, (name, arguments) in enumerate(found.calls)
    )
    return Scripted(text=found.text, tool_calls=calls)


COMMANDS = {"say": say, "tick": tick, "look": look, "work": work, "remember": remember}

if __name__ == "__main__":
    main()
