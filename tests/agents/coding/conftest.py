"""A coding worker over a scripted model: the coding agent asks our endpoint, and the script answers as a model would."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.utils import timezone

from agents.models import Run, RunState, ToolCall, ToolPolicy
from llm.clients.scripted import Scripted, call, say
from llm.types import AssistantMessage, ChatRequest
from tests.agents.coding.peers import claude, opencode
from tests.agents.conftest import Engine

DONE = say("I did it.\n\nOutcome: done")


@dataclass
class Coding:
    """A run of a coding worker. `asked` are the requests that its model was sent, without those for titles."""

    engine: Engine
    backend: str = "opencode"
    asked: list[ChatRequest] = field(default_factory=list)

    def bash(self, command: str) -> Scripted:
        """Return the backend's own call for a command; `read` and `write` do so for files of the workspace."""
        return call("Bash" if self.backend == "claude" else "bash", command=command, description="a command")

    def read(self, path: str) -> Scripted:
        if self.backend == "claude":
            return call("Read", file_path=self.path(path))
        return call("read", filePath=self.path(path))

    def write(self, path: str, content: str) -> Scripted:
        if self.backend == "claude":
            return call("Edit", file_path=self.path(path), old_string="", new_string=content)
        return call("write", filePath=self.path(path), content=content)

    def script(self, *steps: Scripted | Callable[[ChatRequest], Scripted]) -> None:
        """Let the coding agent's model answer with these, one after the other, and then end."""
        left = list(steps)

        def answer(request: ChatRequest) -> Scripted:
            if not request.tools:
                return say("A title")
            self.asked.append(request)
            step = left.pop(0) if left else DONE
            return step if isinstance(step, Scripted) else step(request)

        self.engine.script("worker", answer)

    def start(self, task: str = "Mend the test", **options: Any) -> Run:
        self.queue(task, **options)
        self.engine.settle()
        return self.run

    def queue(self, task: str = "Mend the test", **options: Any) -> Run:
        """Return the worker's run, which has not begun."""
        spawn = call("spawn_worker", task=task, worker_type="coding", **options)
        talk = [call("reply", content="Seen.")] * 9
        self.engine.script("channel", [spawn + call("reply", content="On it."), *talk])
        self.engine.say("please")
        [channel] = Run.objects.filter(kind="channel", state=RunState.QUEUED)
        Run.objects.filter(pk=channel.pk).update(due_at=timezone.now())
        assert self.engine.execute(channel)
        return self.run

    def policy(self, tool: str, policy: str) -> None:
        ToolPolicy.objects.update_or_create(
            organization=self.engine.team.organization, agent=None, tool=tool, defaults={"policy": policy}
        )

    def heard(self) -> str:
        """Return what the model was told last: what people say and what calls gave, since it spoke."""
        said = []
        for message in reversed(self.asked[-1].messages):
            if isinstance(message, AssistantMessage):
                break
            said.insert(0, message.text)
        return "\n".join(said)

    def path(self, name: str) -> str:
        return str(self.engine.workspace / name)

    @property
    def run(self) -> Run:
        return self.engine.runs("worker")[-1]

    def calls(self) -> list[tuple[str, str, str]]:
        """Return name, state and result of every call that was recorded."""
        rows = ToolCall.objects.filter(run=self.run).order_by("step_id", "position")
        return [(row.name, row.state, row.result) for row in rows]


@pytest.fixture
def coding(engine: Engine, settings: Any) -> Coding:
    """A worker whose tasks opencode does."""
    settings.SPACEBOT_OPENCODE = str(opencode())
    return Coding(engine)


@pytest.fixture(params=["opencode", "claude"])
def either(engine: Engine, settings: Any, request: pytest.FixtureRequest) -> Coding:
    """A worker whose tasks one of the backends does."""
    if request.param == "claude":
        settings.SPACEBOT_CLAUDE = str(claude())
    else:
        settings.SPACEBOT_OPENCODE = str(opencode())
    agent = engine.team.agent
    agent.settings = {**agent.settings, "coding": request.param}
    agent.save(update_fields=["settings"])
    return Coding(engine, request.param)
