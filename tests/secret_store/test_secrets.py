from __future__ import annotations

import json

import pytest
from django.db import connection

from accounts.errors import Forbidden, InvalidInput, NotFound
from accounts.models import AuditEvent
from secret_store.errors import KeyUnavailable, SecretNotFound
from secret_store.models import DataKey, Secret
from secret_store.services import delete_secret, has_secret, list_secrets, read_secret, set_secret
from tests.factories import Team

VALUE = "sk-very-secret-value-1234"


def test_a_secret_is_read_back_and_stored_encrypted(team: Team) -> None:
    set_secret(team.admin, team.organization, name="OPENAI_API_KEY", value=VALUE)
    assert read_secret(team.organization.pk, "OPENAI_API_KEY") == VALUE
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(s)::text FROM secrets_secret s")
        row = cursor.fetchone()[0]
    assert VALUE not in row
    assert VALUE.encode().hex() not in row


def test_setting_again_replaces_the_value_under_a_fresh_nonce(team: Team) -> None:
    first = bytes(set_secret(team.admin, team.organization, name="KEY", value=VALUE).nonce)
    again = set_secret(team.admin, team.organization, name="KEY", value=VALUE, category="tool")
    assert bytes(again.nonce) != first
    assert Secret.objects.get().category == "tool"
    set_secret(team.admin, team.organization, name="KEY", value="other")
    assert read_secret(team.organization.pk, "KEY") == "other"
    assert DataKey.objects.count() == 1


def test_an_agents_secret_shadows_the_shared_one(team: Team) -> None:
    set_secret(None, team.organization, name="KEY", value="shared")
    assert read_secret(team.organization.pk, "KEY", agent_id=team.agent.pk) == "shared"
    set_secret(None, team.organization, name="KEY", value="own", agent_id=team.agent.pk)
    assert read_secret(team.organization.pk, "KEY", agent_id=team.agent.pk) == "own"
    assert read_secret(team.organization.pk, "KEY", agent_id=team.agent.pk + 1) == "shared"
    assert read_secret(team.organization.pk, "KEY") == "shared"


def test_an_agents_broken_secret_is_not_passed_over_for_the_shared_one(team: Team) -> None:
    set_secret(None, team.organization, name="KEY", value="shared")
    own = set_secret(None, team.organization, name="KEY", value="own", agent_id=team.agent.pk)
    Secret.objects.filter(pk=own.pk).update(ciphertext=b"\x00" * 32)
    with pytest.raises(KeyUnavailable):
        read_secret(team.organization.pk, "KEY", agent_id=team.agent.pk)


def test_organizations_do_not_meet(team: Team, rivals: Team) -> None:
    set_secret(rivals.owner, rivals.organization, name="KEY", value=VALUE)
    with pytest.raises(SecretNotFound):
        read_secret(team.organization.pk, "KEY")
    with pytest.raises(NotFound):
        set_secret(team.owner, rivals.organization, name="KEY", value="mine")
    with pytest.raises(NotFound):
        delete_secret(team.owner, rivals.organization, name="KEY")
    assert list(list_secrets(team.owner)) == []
    assert read_secret(rivals.organization.pk, "KEY") == VALUE


@pytest.mark.parametrize("column", ["organization_id", "agent_id", "name"])
def test_a_ciphertext_moved_to_another_row_does_not_open(team: Team, rivals: Team, column: str) -> None:
    secret = set_secret(None, team.organization, name="KEY", value=VALUE, agent_id=1)
    moved = {"organization_id": rivals.organization.pk, "agent_id": 2, "name": "OTHER"}[column]
    Secret.objects.filter(pk=secret.pk).update(**{column: moved})
    row = Secret.objects.get()
    with pytest.raises(KeyUnavailable, match="altered or moved"):
        read_secret(row.organization_id, row.name, agent_id=row.agent_id)


def test_only_administrators_write_and_list(team: Team) -> None:
    for actor in (team.moderator, team.member):
        with pytest.raises(Forbidden):
            set_secret(actor, team.organization, name="KEY", value=VALUE)
        with pytest.raises(Forbidden):
            delete_secret(actor, team.organization, name="KEY")
        with pytest.raises(Forbidden):
            list_secrets(actor)
    assert not has_secret(team.organization.pk, "KEY")


def test_deleting_twice_is_not_found(team: Team) -> None:
    set_secret(team.admin, team.organization, name="KEY", value=VALUE)
    delete_secret(team.admin, team.organization, name="KEY")
    with pytest.raises(SecretNotFound):
        delete_secret(team.admin, team.organization, name="KEY")
    assert not has_secret(team.organization.pk, "KEY")


def test_every_act_is_audited_without_the_value(team: Team) -> None:
    set_secret(team.admin, team.organization, name="KEY", value=VALUE)
    delete_secret(team.admin, team.organization, name="KEY")
    events = AuditEvent.objects.order_by("number")
    assert [(event.action, event.target) for event in events] == [
        ("secret.set", "KEY"),
        ("secret.deleted", "KEY"),
    ]
    assert all(VALUE[-4:] not in json.dumps(event.detail) for event in events)


def test_the_hint_of_a_short_secret_stays_empty(team: Team) -> None:
    assert set_secret(None, team.organization, name="LONG", value=VALUE).hint == "1234"
    assert set_secret(None, team.organization, name="SHORT", value="hunter2").hint == ""


def test_listing_does_not_load_what_secrets_hold(team: Team) -> None:
    set_secret(None, team.organization, name="KEY", value=VALUE)
    assert list_secrets(team.admin).get().get_deferred_fields() == {"nonce", "ciphertext"}


@pytest.mark.parametrize(
    "name",
    [
        "",
        "lower",
        "1KEY",
        "A-B",
        "KEY ",
        "KEY\n",
        "É",
        "K" * 81,
        "LD_PRELOAD",
        "NODE_OPTIONS",
        "PATH",
        "PYTHONPATH",
    ],
)
def test_bad_and_reserved_names_are_refused(team: Team, name: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        set_secret(team.admin, team.organization, name=name, value=VALUE)
    assert caught.value.field == "name"


@pytest.mark.parametrize(
    "value", ["", " \n ", "a\x00b", "\ud800", "x" * (64 * 1024 + 1), "é" * (32 * 1024 + 1)]
)
def test_bad_values_are_refused(team: Team, value: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        set_secret(team.admin, team.organization, name="KEY", value=value)
    assert caught.value.field == "value"


@pytest.mark.parametrize("value", ["x" * 64 * 1024, "ключ 🔑", "-----BEGIN-----\nabc\n-----END-----\n"])
def test_long_foreign_and_multi_line_values_come_back_unchanged(team: Team, value: str) -> None:
    set_secret(team.admin, team.organization, name="KEY", value=value)
    assert read_secret(team.organization.pk, "KEY") == value


def test_a_copied_value_loses_its_line_end(team: Team) -> None:
    set_secret(team.admin, team.organization, name="KEY", value=f" {VALUE}\n")
    assert read_secret(team.organization.pk, "KEY") == VALUE
