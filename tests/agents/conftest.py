"""An engine without Celery: runs are executed here, in order, until nothing is due."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from agents.engine import executor, records
from agents.models import Agent, Run, RunState
from agents.services.conversations import send_message
from llm.clients import scripted
from llm.models import ModelEntry, Process, Provider, ProviderKind, Route
from llm.services.routing import forget_routing
from messaging.models import Conversation, Direction, Message
from messaging.services.conversations import start_conversation
from tests.factories import Team, make_team


@dataclass
class Engine:
    """A team, one conversation with its agent, and scripts for the processes of that agent."""

    team: Team
    conversation: Conversation
    models: dict[str, scripted.ScriptedModel] = field(default_factory=dict)

    def script(self, process: str, script: scripted.Script) -> scripted.ScriptedModel:
        """Let one kind of process follow `script`."""
        self.models[process] = scripted.install(f"{process}-script", script)
        return self.models[process]

    def say(self, text: str, **options: Any) -> Message:
        return send_message(self.team.member, self.conversation.pk, text=text, **options)

    def execute(self, run: Run) -> bool:
        return executor.execute_run(run.pk, run.kind, run.conversation_id)

    def settle_run(self, run: Run) -> None:
        """Execute one run again, then whatever follows from it."""
        assert self.execute(run)
        self.settle()

    def settle(self, *, most: int = 50) -> None:
        """Execute what is queued, oldest first, as if all waiting times had passed."""
        for _ in range(most):
            Run.objects.filter(state=RunState.QUEUED).update(due_at=timezone.now())
            run = Run.objects.filter(state=RunState.QUEUED).order_by("id").first()
            if run is None:
                return
            assert self.execute(run)
        raise AssertionError("the engine does not settle")

    def replies(self) -> list[str]:
        rows = Message.objects.filter(conversation=self.conversation, direction=Direction.OUTBOUND)
        return list(rows.order_by("seq").values_list("text", flat=True))

    def runs(self, kind: str) -> list[Run]:
        return list(Run.objects.filter(conversation=self.conversation, kind=kind).order_by("id"))

    @property
    def workspace(self) -> Path:
        from agents.tools.workspace import workspace_of

        return workspace_of(
            Run(
                organization_id=self.team.organization.pk,
                agent_id=self.team.agent.pk,
                conversation_id=self.conversation.pk,
            )
        )


@pytest.fixture
def engine(transactional_db: None, settings: Any, tmp_path: Path) -> Iterator[Engine]:
    settings.SPACEBOT_HOME = tmp_path
    make_team("rivals")
    team = make_team("acme")
    provider = Provider.objects.create(
        organization=team.organization, name="script", kind=ProviderKind.SCRIPTED
    )
    for process in (Process.CHANNEL, Process.BRANCH, Process.WORKER, Process.COMPACTOR):
        entry = ModelEntry.objects.create(
            organization=team.organization, provider=provider, name=f"{process}-script"
        )
        Route.objects.create(organization=team.organization, process=process, entry=entry)
    forget_routing(team.organization.pk)
    records._prompts.clear()
    conversation = start_conversation(team.member, agent_id=team.agent.pk, kind="dm")
    built = Engine(team, conversation)
    yield built
    for process in built.models:
        scripted.uninstall(f"{process}-script")


@pytest.fixture
def switch_agent() -> Callable[[Agent, bool], None]:
    def switch(agent: Agent, on: bool) -> None:
        Agent.objects.filter(pk=agent.pk).update(enabled=on)

    return switch
