"""What every request pays for: the tools of each kind of process, by the estimate that budgets use."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field

from agents.tools.registry import TOOLS, tools_for
from agents.tools.schemas import schema_of
from llm.services.tokens import estimate_tokens

MOST_TOKENS = {
    "channel": 1_600,
    "branch": 3_600,
    "autonomy": 1_600,
    "worker": 3_050,
    "cron": 670,
    "colleague": 425,
    "cortex": 700,
    "keeping": 390,
}


@pytest.mark.parametrize("kind", MOST_TOKENS)
def test_the_tools_of_a_kind_take_no_more_than_their_share_of_a_prompt(kind: str) -> None:
    sizes = {tool.name: estimate_tokens(tool.spec) for tool in tools_for(kind).values()}
    assert sum(sizes.values()) <= MOST_TOKENS[kind], sorted(sizes.items(), key=lambda item: -item[1])


@pytest.mark.parametrize(("kind", "most"), [("worker", 2_200), ("branch", 3_450)])
def test_a_machine_without_browser_and_search_pays_for_neither(kind: str, most: int) -> None:
    without = frozenset(tool.name for tool in TOOLS if tool.need)
    assert sum(estimate_tokens(tool.spec) for tool in tools_for(kind, without).values()) <= most


def test_every_kind_that_holds_tools_has_a_bound() -> None:
    assert {kind for tool in TOOLS for kind in tool.kinds} == set(MOST_TOKENS)


class Part(BaseModel):
    """Said to programmers."""

    title: str = Field(max_length=300)
    done: bool = False


class Everything(BaseModel):
    """Said to programmers as well."""

    title: str = Field(min_length=1, max_length=20, description="A heading.")
    kind: Literal["one", "two"] = "one"
    parts: list[Part] | None = Field(default=None, max_length=5)
    part: Part | None = Field(default=None, description="One of them.")
    either: int | str | None = None
    limit: int = Field(default=20, ge=1, le=100)


def test_a_schema_says_what_helps_to_write_a_call_and_nothing_else() -> None:
    part: dict[str, Any] = {
        "properties": {"title": {"type": "string"}, "done": {"type": "boolean"}},
        "required": ["title"],
        "type": "object",
    }
    assert schema_of(Everything) == {
        "properties": {
            "title": {"description": "A heading.", "type": "string"},
            "kind": {"default": "one", "enum": ["one", "two"], "type": "string"},
            "parts": {"items": part, "type": "array"},
            "part": {**part, "description": "One of them."},
            "either": {"anyOf": [{"type": "integer"}, {"type": "string"}]},
            "limit": {"maximum": 100, "type": "integer"},
        },
        "required": ["title"],
        "type": "object",
    }


def test_what_is_left_out_of_a_schema_is_still_checked() -> None:
    for tool in TOOLS:
        assert tool.arguments.model_config["extra"] == "forbid", tool.name
        names = tool.spec.parameters["properties"]
        assert set(names) == set(tool.arguments.model_fields), tool.name
        assert set(tool.spec.parameters.get("required", ())) <= set(names), tool.name
        assert "$ref" not in str(tool.spec.parameters), tool.name
