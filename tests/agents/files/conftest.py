"""The file tools over a folder of the test's own, without an engine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from agents.tools.base import ToolContext
from agents.tools.files import TOOLS, quota
from llm.types import CancelToken

Use = Callable[..., str]


@pytest.fixture
def context(tmp_path: Path) -> ToolContext:
    quota._kept.clear()
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    return ToolContext(
        run=cast(Any, None), process=cast(Any, None), key="k", cancel=CancelToken(), workspace=workspace
    )


@pytest.fixture
def use(context: ToolContext) -> Use:
    """Return a function that calls a tool by its name, its arguments checked as the gate does."""
    tools = {tool.name: tool for tool in TOOLS}

    def use(name: str, /, **arguments: Any) -> str:
        tool = tools[name]
        return tool.function(context, tool.arguments.model_validate(arguments)).text

    return use


@pytest.fixture
def workspace(context: ToolContext) -> Path:
    return context.workspace
