"""What the tools that plan have in common: who writes, how a refusal is told, and rows as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from accounts.errors import AccountsError
from agents.errors import ToolRetry
from agents.models import Run
from tasks.authors import Author
from tasks.models import AuthorKind

LISTERS = frozenset({"channel", "branch", "autonomy"})
PLANNERS = frozenset({"branch", "autonomy"})
PriorityWord = Literal["critical", "high", "medium", "low"]


def author_of(run: Run, kind: AuthorKind = AuthorKind.AGENT) -> Author:
    return Author(
        kind,
        run.organization_id,
        user_id=run.requester_user_id,
        person_id=run.requester_person_id,
        agent_id=run.agent_id,
        run_id=run.pk,
        conversation_id=run.conversation_id,
    )


@contextmanager
def refusals() -> Iterator[None]:
    """Let the model read why the board refused."""
    try:
        yield
    except AccountsError as error:
        raise ToolRetry(str(error)) from None


def as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
