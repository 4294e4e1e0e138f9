from __future__ import annotations

import pytest

from accounts.errors import Forbidden, InvalidInput
from secret_store.errors import SecretNotFound
from secret_store.models import Secret, SecretUse
from secret_store.names import check_origin
from secret_store.services import list_secrets, read_secret, set_secret
from secret_store.use_log import list_uses, with_last_use
from secret_store.uses import tool_secrets, use_secret
from tests.factories import Team

VALUE = "v4lue-of-the-deploy-key"


def test_tools_are_handed_tool_secrets_alone_and_the_agents_own_first(team: Team, rivals: Team) -> None:
    for name, agent_id, category in (
        ("DEPLOY_KEY", None, "tool"),
        ("DEPLOY_KEY", team.agent.pk, "tool"),
        ("OTHERS_KEY", team.agent.pk + 1, "tool"),
        ("PROVIDER_KEY", None, None),
    ):
        set_secret(
            None,
            team.organization,
            name=name,
            value=f"{name}-{agent_id}",
            category=category,
            agent_id=agent_id,
        )
    set_secret(None, rivals.organization, name="RIVAL", value="a-rival-value", category="tool")
    own = f"DEPLOY_KEY-{team.agent.pk}"
    assert tool_secrets(team.organization.pk, team.agent.pk, run_id=7) == {"DEPLOY_KEY": own}
    assert tool_secrets(team.organization.pk, None) == {"DEPLOY_KEY": "DEPLOY_KEY-None"}


def test_an_unreadable_own_secret_withholds_the_shared_one(team: Team) -> None:
    set_secret(None, team.organization, name="KEY", value="a-shared-value", category="tool")
    own = set_secret(
        None, team.organization, name="KEY", value="an-own-value", category="tool", agent_id=team.agent.pk
    )
    Secret.objects.filter(pk=own.pk).update(ciphertext=b"\x00" * 32)
    assert tool_secrets(team.organization.pk, team.agent.pk) == {}


def test_a_name_that_became_reserved_is_not_handed_over(team: Team) -> None:
    made = set_secret(None, team.organization, name="KEY", value=VALUE, category="tool")
    Secret.objects.filter(pk=made.pk).update(name="LD_PRELOAD")
    assert tool_secrets(team.organization.pk, team.agent.pk) == {}


def test_a_secret_is_typed_only_where_it_is_bound_to(team: Team) -> None:
    set_secret(
        None,
        team.organization,
        name="KEY",
        value=VALUE,
        category="tool",
        origins=["https://login.example.com"],
    )

    def use(origin: str, name: str = "KEY") -> str:
        return use_secret(team.organization.pk, name, origin=origin, agent_id=team.agent.pk, run_id=3)

    assert use("https://login.example.com") == use("https://LOGIN.example.com:443/path") == VALUE
    for origin in (
        "http://login.example.com",
        "https://example.com",
        "https://login.example.com.evil.test",
        "https://login.example.com:8443",
    ):
        with pytest.raises(Forbidden, match="may not be typed"):
            use(origin)
    with pytest.raises(InvalidInput):
        use("https://login.example.com@evil.test")
    with pytest.raises(SecretNotFound):
        use("https://login.example.com", name="ABSENT")
    use_row = SecretUse.objects.get()
    assert (use_row.purpose, use_row.origin, use_row.run_id, use_row.count) == (
        "typed into a page",
        "https://login.example.com",
        3,
        2,
    )


def test_a_secret_bound_to_nothing_and_a_system_secret_are_typed_nowhere(team: Team) -> None:
    set_secret(None, team.organization, name="KEY", value=VALUE, category="tool")
    set_secret(None, team.organization, name="SYSTEM", value=VALUE, origins=["https://example.com"])
    for name in ("KEY", "SYSTEM"):
        with pytest.raises(Forbidden):
            use_secret(team.organization.pk, name, origin="https://example.com", agent_id=None)


def test_replacing_a_value_keeps_kind_and_origins(team: Team) -> None:
    set_secret(
        None, team.organization, name="KEY", value=VALUE, category="tool", origins=["https://example.com"]
    )
    again = set_secret(None, team.organization, name="KEY", value="another-value")
    again.refresh_from_db()
    assert (again.category, again.origins) == ("tool", ["https://example.com"])


def test_who_used_what_is_kept_without_the_value(team: Team, rivals: Team) -> None:
    made = set_secret(None, team.organization, name="KEY", value=VALUE)
    read_secret(team.organization.pk, "KEY", purpose="model provider Acme")
    read_secret(team.organization.pk, "KEY", purpose="model provider Acme")
    (use,) = list_uses(team.admin, secret_id=made.pk)
    assert (use.purpose, use.run_id, use.count) == ("model provider Acme", None, 1)
    assert [row.__dict__["used_at"] for row in with_last_use(list_secrets(team.admin))] == [use.last_at]
    assert not list_uses(rivals.owner).exists()
    with pytest.raises(Forbidden):
        list_uses(team.member)


@pytest.mark.parametrize(
    "origin",
    [
        "",
        "example.com",
        "ftp://example.com",
        "https://",
        "https://a@b.test",
        "https://x:99999",
        "https://x?y",
    ],
)
def test_what_is_no_origin_is_refused(origin: str) -> None:
    with pytest.raises(InvalidInput):
        check_origin(origin)


def test_an_origin_has_one_spelling() -> None:
    assert check_origin("HTTPS://Bücher.example.:443") == "https://xn--bcher-kva.example"
    assert check_origin("http://[::1]:8080") == "http://[::1]:8080"
