"""A kind of approval made for tests: it counts what it does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from tasks.models import Approval
from tasks.services.approvals import kinds
from tasks.services.approvals.asking import Asker, ask
from tasks.services.approvals.errors import ActionChanged
from tests.factories import Team

KIND = "counted"


@dataclass
class Counted:
    """What was executed, by approval, and what the action would be if it ran now."""

    done: list[int] = field(default_factory=list)
    told: list[tuple[int, str]] = field(default_factory=list)
    changed: bool = False
    breaks: bool = False

    def check(self, approval: Approval) -> None:
        if self.changed:
            raise ActionChanged("it is another one now")

    def execute(self, approval: Approval) -> str:
        if self.breaks:
            raise RuntimeError("broken")
        self.done.append(approval.pk)
        return "counted"

    def tell(self, approval: Approval) -> None:
        self.told.append((approval.pk, str(approval.state)))


def ask_for(team: Team, **options: Any) -> Approval:
    asker = Asker(team.organization.pk, requester_user_id=options.pop("by", team.member).user.pk)
    values = {"kind": KIND, "action": {"count": 1}, "origin_key": "one", "title": "Count", **options}
    return ask(asker, **values)


@pytest.fixture
def counted() -> Iterator[Counted]:
    found = Counted()
    kinds.register(
        KIND,
        kinds.Executor(label="Counted", check=found.check, execute=found.execute, told=found.tell),
    )
    yield found
    kinds._executors.pop(KIND)
