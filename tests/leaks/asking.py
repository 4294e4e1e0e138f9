"""Asking as our code does: a process for its prompt, a tool, a page or the API in a user's name."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from django.test import Client

from agents.engine.claims import Claim
from agents.errors import ToolFailed, ToolRetry
from agents.models import Run, RunKind
from agents.processes.base import Joined
from agents.tools import registry
from agents.tools.base import ToolContext
from tests.leaks.cases import Case
from tests.leaks.world import World
from tests.matrix.world import undone

_browsers: dict[int, Client] = {}


def prompt_of(process: Any) -> str:
    joined: Joined = process.collect(first=True)
    return "\n".join([*process.system(), *(message.text for message in joined.messages)])


def claim_of(run: Run) -> Claim:
    return Claim(run.pk, run.conversation_id, run.fence, 60)


def upkeep(world: World, case: Case, kind: RunKind, **values: Any) -> Run:
    branch = world.branches[case.place]
    return Run(
        pk=branch.pk, organization=branch.organization, agent=branch.agent, conversation=branch.conversation,
        kind=kind, input=values,
    )  # fmt: skip


def use(world: World, case: Case, name: str, run: Run | None = None, **arguments: Any) -> str:
    """Call a tool as a run of the room does; what it writes is taken back."""
    run = run or world.branches[case.place]
    tool = next(tool for tool in registry.TOOLS if tool.name == name)
    context = ToolContext(
        run=run,
        process=cast(Any, SimpleNamespace(window=128_000)),
        key="k",
        cancel=cast(Any, None),
        workspace=cast(Any, None),
    )
    with undone():
        try:
            return tool.function(context, tool.arguments.model_validate(arguments)).text
        except (ToolRetry, ToolFailed) as error:
            return str(error)


def get(world: World, case: Case, address: str) -> str:
    client = _browser(world, case.user)
    return client.get(address).content.decode()


def _browser(world: World, name: str) -> Client:
    user = world.actor(name).user
    if user.pk not in _browsers:
        _browsers[user.pk] = Client()
        _browsers[user.pk].force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return _browsers[user.pk]


def forget_browsers() -> None:
    """Browsers are signed in to one world only."""
    _browsers.clear()


def some_memory(world: World, case: Case) -> int:
    return world.memories[case.pick % len(world.memories)]
