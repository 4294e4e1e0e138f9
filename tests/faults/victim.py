"""A process that tests kill: `python -m tests.faults.victim work`, `… say ACTOR CONVERSATION TEXT`, `… tick MOMENT`,
`… look MOMENT`.

`work` executes what the database holds until nothing is left, as a worker with one thread would; its model is the
one of the benches. What it may do at most before it must have died or finished is bounded.
"""

from __future__ import annotations

import sys

import django
from django.utils import timezone

MOST_RUNS = 200


def main() -> None:
    django.setup()
    if sys.argv[1] == "say":
        say(int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
    elif sys.argv[1] == "tick":
        tick(sys.argv[2])
    elif sys.argv[1] == "look":
        look(sys.argv[2])
    else:
        work()


def say(user_id: int, conversation_id: int, text: str) -> None:
    """Send a message as a web process does; the text is its client id too."""
    from accounts.models import User
    from accounts.queries import get_actor
    from agents.services.conversations import send_message

    actor = get_actor(User.objects.get(pk=user_id), None)
    send_message(actor, conversation_id, text=text, client_id=text)


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
    from agents.engine import recovery
    from agents.engine.executor import execute_run
    from agents.models import Run, RunState
    from llm.clients import scripted
    from llm.models import Process

    for process in (Process.CHANNEL, Process.BRANCH, Process.WORKER):
        scripted.install(f"{process}-script", _answer)
    scripted.install("cortex-script", lambda request: scripted.say("What happened, in short."))
    recovery.expire_dead_owners()
    for _ in range(MOST_RUNS):
        Run.objects.filter(state=RunState.QUEUED).update(due_at=timezone.now())
        live = Run.objects.filter(state__in=[RunState.QUEUED, RunState.RUNNING]).order_by("id")
        if not any(execute_run(run.pk, run.kind, run.conversation_id) for run in live[:1]):
            break


def _answer(request: object) -> object:
    import json

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


if __name__ == "__main__":
    main()
