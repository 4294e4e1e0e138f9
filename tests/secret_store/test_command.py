from __future__ import annotations

import io

import pytest
from django.core.management import CommandError, call_command

from secret_store.services import read_secret, set_secret
from tests.factories import Team


def run(act: str) -> str:
    out = io.StringIO()
    call_command("secrets", act, stdout=out)
    return out.getvalue()


def test_an_operator_rotates_locks_and_unlocks_by_command(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_secret(None, team.organization, name="KEY", value="a-value-to-keep")
    assert run("status") == "The secrets are open; 0 under an older data key.\n"
    assert run("rotate-data-key").startswith("1 secrets")
    assert "is in place" in run("rotate-master-key")
    monkeypatch.setattr("sys.stdin", io.StringIO("correct horse battery\n"))
    assert run("lock") == "Locked.\n"
    assert "locked since" in run("status")
    monkeypatch.setattr("sys.stdin", io.StringIO("another passphrase\n"))
    with pytest.raises(CommandError, match="wrong"):
        run("unlock")
    monkeypatch.setattr("sys.stdin", io.StringIO("correct horse battery\n"))
    run("unlock")
    assert read_secret(team.organization.pk, "KEY") == "a-value-to-keep"
