"""What a tool is, and what it is handed.

Adding a tool: one module beside this one with a pydantic argument model and a function; a line in
`agents/tools/registry.py`; tests of success, refusal, another tenant and a second call.

A transactional tool runs inside the step's own transaction: it checks first and writes last, and it raises
nothing after its first write. Every other tool runs between transactions, under a deadline, with cancellation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from agents.loop import Ending
from agents.tools.schemas import schema_of
from llm.types import CancelToken, ToolSpec

if TYPE_CHECKING:
    from agents.engine.claims import Held
    from agents.models import Run
    from agents.processes.base import Process


class Arguments(BaseModel):
    """The base of every argument model: unknown arguments are errors the model can mend."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=False)


@dataclass(frozen=True)
class ToolContext:
    """Handed in with each call; a tool never stores who it works for.

    `key` is the call's idempotency key. `held` is what the step's transaction knows; None outside one.
    """

    run: Run
    process: Process
    key: str
    cancel: CancelToken
    workspace: Path
    held: Held | None = None


@dataclass(frozen=True)
class ToolOutput:
    """`pictures` are what the call saw, for the people who read the run; no model is given them."""

    text: str
    ending: Ending | None = None
    pictures: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class Preview:
    """What a call would do, for the person who decides.

    `parts` are shown; `basis` is a digest of what they were made from: if it has changed, an approval no longer counts.
    """

    parts: tuple[dict[str, str], ...] = ()
    basis: str = ""


@dataclass(frozen=True)
class Need:
    """What must be there before a tool is offered, in `words` for people.

    `lacking` says why a run's process has not got it, or nothing; it is asked at the start of each run and costs no query.
    """

    words: str
    lacking: Callable[[Run], str]


@dataclass(frozen=True)
class Tool:
    """A typed function for some process kinds.

    `repeatable`: running it twice does no more than running it once. `ends_run`: its output may carry an ending, so
    it runs after all other calls of a step; such a tool is transactional. `needs_member`: the requester must still
    be a member when it runs. `policy` is what holds where an organization has set none; a tool that ends the run is always
    allowed. `preview` shows what a call would do. `asks_people`: it puts something to people itself, so that asking first
    would ask twice; it may be switched off even where it ends a turn. `waits` begins, once, what a call of a run that can
    wait has to wait for, and says whether it is still to come; the function runs when it has come. `need`: where that is
    lacking, the tool is not offered, so that no prompt pays for it, and a call of it is told why. `alike` names a tool that
    does the same: where nothing is set for this one, what is set for that one holds.
    """

    name: str
    description: str
    arguments: type[Arguments]
    function: Callable[[ToolContext, Any], ToolOutput]
    kinds: frozenset[str]
    transactional: bool = True
    repeatable: bool = False
    polling: bool = False
    needs_member: bool = True
    ends_run: bool = False
    policy: str = "allow"
    alike: str = ""
    preview: Callable[[ToolContext, Any], Preview] | None = None
    asks_people: bool = False
    waits: Callable[[ToolContext, Any], bool] | None = None
    need: Need | None = None

    @cached_property
    def spec(self) -> ToolSpec:
        return ToolSpec(self.name, self.description, schema_of(self.arguments))
