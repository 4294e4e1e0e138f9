"""What is set about walls, secrets and the way out is observed by a command."""

from __future__ import annotations

from pathlib import Path

import pytest

from agents.services.egress import add_rule
from agents.services.sandboxes import set_walls
from secret_store import locking
from secret_store.services import set_secret
from tests.agents.conftest import Engine
from tests.agents.sandbox.test_shell import needs_walls, shell

pytestmark = needs_walls


def connect_to(place: str) -> str:
    head = f"CONNECT {place} HTTP/1.1\\r\\nHost: {place}\\r\\n\\r\\n"
    return f"bash -c \"exec 3<>/dev/tcp/127.0.0.1/3128; printf '{head}' >&3; cat <&3\" 2>&1"


def set_network(engine: Engine, network: str, *, agent: bool = False) -> None:
    set_walls(
        engine.team.owner, agent_id=engine.team.agent.pk if agent else None, mode="", network=network,
        writable_paths=[], readable_paths=[],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("organization", "agent", "is_open"),
    [("proxy", "", True), ("none", "proxy", True), ("proxy", "none", False), ("", "", False)],
)
def test_an_agents_network_counts_before_the_organizations(
    engine: Engine, organization: str, agent: str, is_open: bool
) -> None:
    set_network(engine, organization)
    set_network(engine, agent, agent=True)
    (found,) = shell(engine, connect_to("10.0.0.1:443"))
    assert ("HTTP/1.1 403" in found) is is_open
    assert ("Connection refused" in found) is not is_open


def test_a_list_of_hosts_holds_for_commands(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(host: str) -> list[str]:
        raise OSError(f"no name {host}")

    monkeypatch.setattr("agents.egress.checking.system_resolver", resolve)
    set_network(engine, "proxy")
    add_rule(engine.team.owner, kind="allow", host="docs.example.org")
    listed, other = shell(engine, connect_to("docs.example.org:443"), connect_to("elsewhere.org:443"))
    assert "not among the hosts" in other
    assert "not among the hosts" not in listed


def test_paths_of_the_organization_are_shown_and_written_as_they_are_set(
    engine: Engine, tmp_path_factory: pytest.TempPathFactory
) -> None:
    writable, readable, neither = (
        tmp_path_factory.mktemp(name).resolve() for name in ("writable", "readable", "neither")
    )
    for folder in (writable, readable, neither):
        (folder / "word").write_text(folder.name)
    look = f"cat {writable}/word {readable}/word {neither}/word; touch {writable}/new {readable}/new"
    look = f"({look}) 2>/dev/null"
    (found,) = shell(engine, look)
    assert all(folder.name not in found for folder in (writable, readable, neither))
    set_walls(
        engine.team.owner, mode="", network="", writable_paths=[str(writable)], readable_paths=[str(readable)]
    )
    (found,) = shell(engine, look)
    assert writable.name + readable.name in found
    assert neither.name not in found
    assert [(folder / "new").exists() for folder in (writable, readable)] == [True, False]


def test_an_agents_own_secret_is_the_variable_and_locked_there_is_none(engine: Engine) -> None:
    organization, agent = engine.team.organization, engine.team.agent
    set_secret(None, organization, name="DEPLOY_TOKEN", value="shared", category="tool")
    set_secret(
        None, organization, name="DEPLOY_TOKEN", value="the-agents-own", category="tool", agent_id=agent.pk
    )
    say = 'echo "length ${#DEPLOY_TOKEN}"'
    assert "length 14" in shell(engine, say)[0]
    locking.lock(None, "correct horse battery")
    assert "length 0" in shell(engine, say)[0]


def test_a_folder_that_was_allowed_and_became_a_link_is_not_shown(
    engine: Engine, tmp_path_factory: pytest.TempPathFactory
) -> None:
    base = tmp_path_factory.mktemp("base").resolve()
    shown, other = base / "shown", base / "other"
    for folder in (shown, other):
        folder.mkdir()
    (other / "word").write_text("theirs")
    set_walls(engine.team.owner, mode="", network="", writable_paths=[], readable_paths=[str(shown)])
    shown.rmdir()
    shown.symlink_to(other)
    assert "theirs" not in shell(engine, f"cat {shown}/word {Path(other) / 'word'} 2>&1")[0]
