from __future__ import annotations

from io import StringIO
from threading import Thread

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from accounts import queries
from accounts.errors import Forbidden
from accounts.models import AuditEvent
from accounts.services import audit
from accounts.services.tokens import authenticate_token, create_token
from tests.factories import Team


def _verify() -> tuple[int, str]:
    out, err = StringIO(), StringIO()
    try:
        call_command("verify_audit", stdout=out, stderr=err)
    except SystemExit as stop:
        return int(str(stop.code)), err.getvalue()
    return 0, out.getvalue()


def _tamper(statement: str, *parameters: object) -> None:
    """Change the table as somebody with full rights on the database could."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE accounts_auditevent DISABLE TRIGGER USER")
        cursor.execute(statement, parameters)
        cursor.execute("ALTER TABLE accounts_auditevent ENABLE TRIGGER USER")


def _write(team: Team, count: int) -> None:
    for number in range(count):
        audit.record(team.owner, team.organization, "test.done", f"row {number}", number=number)


def test_each_organization_counts_for_itself(team: Team, rivals: Team) -> None:
    _write(team, 3)
    _write(rivals, 2)
    assert [event.number for event in queries.list_audit_events(team.owner)] == [3, 2, 1]
    assert [event.number for event in queries.list_audit_events(team.owner, before=3, limit=1)] == [2]
    assert len(queries.list_audit_events(rivals.admin)) == 2
    with pytest.raises(Forbidden):
        queries.list_audit_events(team.moderator)


def test_the_entry_says_who_did_what(team: Team) -> None:
    token, raw = create_token(team.owner, name="ops", scopes=["runs:read"])
    event = audit.record(authenticate_token(raw), team.organization, "run.cancelled", "run 7", reason="stuck")
    assert (event.actor_kind, event.actor_id, event.detail) == (
        "token", team.owner.user.pk, {"reason": "stuck", "token_id": token.pk},
    )  # fmt: skip
    assert audit.record(None, team.organization, "upkeep").actor_kind == "system"


def test_what_postgresql_would_store_differently_does_not_break_the_chain(team: Team) -> None:
    odd = {
        "float": 1e20,
        "nul": "a\x00b",
        "surrogate": "\ud800",
        "nested": {"b": [1, None, {"x"}], "a": True},
    }
    audit.record(None, team.organization, "odd", "t\x00" * 200, **odd)
    _write(team, 1)
    assert audit.find_broken_number(team.organization.pk) is None


@pytest.mark.parametrize(
    "statement",
    ["UPDATE accounts_auditevent SET target = 'x'", "DELETE FROM accounts_auditevent"],
)
def test_the_database_refuses_to_change_the_trail(team: Team, statement: str) -> None:
    _write(team, 1)
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


def test_the_database_refuses_to_empty_the_trail_unless_a_session_asks_for_it(team: Team) -> None:
    _write(team, 1)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET LOCAL spacebot.allow_audit_truncate = 'off'")
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            cursor.execute("TRUNCATE accounts_auditevent")
    assert AuditEvent.objects.count() == 1


def test_a_whole_trail_passes(team: Team, rivals: Team) -> None:
    _write(team, 3)
    code, text = _verify()
    assert code == 0
    assert "acme: 3 entries, whole" in text


@pytest.mark.parametrize(
    "change",
    [
        "target = 'other'", "detail = '{}'", "actor_name = 'nobody'", "at = at + interval '1 second'",
        "previous_hash = repeat('0', 64)", "hash = repeat('f', 64)", "number = 12",
    ],
)  # fmt: skip
def test_an_altered_entry_is_named(team: Team, rivals: Team, change: str) -> None:
    _write(team, 3)
    _write(rivals, 3)
    _tamper(
        f"UPDATE accounts_auditevent SET {change} WHERE number = 2 AND organization_id = %s",
        team.organization.pk,
    )
    code, text = _verify()
    assert (code, text) == (1, "acme: broken at number 2\n")


def test_a_missing_entry_is_named(team: Team) -> None:
    _write(team, 3)
    _tamper("DELETE FROM accounts_auditevent WHERE number = 2")
    assert _verify() == (1, "acme: broken at number 2\n")


def test_an_entry_falls_with_its_transaction(team: Team) -> None:
    with transaction.atomic():
        _write(team, 1)
        transaction.set_rollback(True)
    _write(team, 1)
    assert AuditEvent.objects.get().number == 1
    assert audit.find_broken_number(team.organization.pk) is None


@pytest.mark.django_db(transaction=True)
def test_entries_written_at_once_form_one_chain(team: Team) -> None:
    def write() -> None:
        _write(team, 5)
        connection.close()

    threads = [Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert AuditEvent.objects.filter(organization=team.organization).count() == 20
    assert audit.find_broken_number(team.organization.pk) is None
