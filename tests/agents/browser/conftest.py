"""A worker's hands on a real browser, without a model: tools are called as the gate would."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from django.utils import timezone

from agents.browser import session, sessions
from agents.browser.errors import NoBrowser
from agents.browser.finding import find_chromium
from agents.models import EgressRule, Run
from agents.tools.base import ToolContext
from agents.tools.registry import tools_for
from llm.types import CancelToken
from tests.agents.egress.site import Site
from tests.factories import Team


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    from django.conf import settings

    try:
        settings.configured and find_chromium()
    except NoBrowser as missing:
        for item in items:
            if item.get_closest_marker("browser"):
                item.add_marker(pytest.mark.skip(reason=str(missing)))


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with Site() as site:
        yield site


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait longer for what an act sets off than people would want to: what is waited for comes, if late."""
    monkeypatch.setattr(session, "SETTLE_MS", 15_000)


@pytest.fixture
def run(transactional_db: None, team: Team, site: Site) -> Iterator[Run]:
    site.pages, site.asked = {}, []
    EgressRule.objects.create(
        organization=team.organization, kind="private", host="127.0.0.1", port=site.port
    )
    run = Run.objects.create(
        organization=team.organization, agent=team.agent, kind="worker", due_at=timezone.now(), input={}
    )
    yield run
    sessions.close_session(run.pk)


@pytest.fixture
def use(run: Run, tmp_path: Path) -> Callable[..., str]:
    """Call a tool of the run; return what the model would read."""

    def call(name: str, cancel: CancelToken | None = None, **arguments: Any) -> str:
        context = ToolContext(
            run=run,
            process=cast(Any, None),
            key="k",
            cancel=cancel or CancelToken(),
            workspace=tmp_path / "work",
        )
        tool = tools_for("worker")[f"browser_{name}"]
        return tool.function(context, tool.arguments.model_validate(arguments)).text

    return call
