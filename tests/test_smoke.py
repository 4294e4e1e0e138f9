from __future__ import annotations

from accounts.models import Organization
from tests.factories import Team


def test_two_teams_stand_beside_each_other(team: Team, rivals: Team) -> None:
    assert Organization.objects.count() == 2
