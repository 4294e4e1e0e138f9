"""Adding, changing and removing servers, approving tools: who may, what is refused, what it does to runs under way."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from accounts.actor import Actor, actor_for
from accounts.errors import Conflict, Forbidden, InvalidInput, NotFound
from accounts.models import AuditEvent, Membership
from agents.mcp import hub, looking, queries, services
from agents.mcp.listing import Listed, record_listing
from agents.mcp.offer import offered_tools
from agents.mcp.references import resolve
from agents.mcp.spec import spec_of
from agents.models import Agent, McpServer, McpState, McpTool, Run, ToolPolicy
from agents.services.policies import list_tools, set_policy
from llm.clients.scripted import call
from secret_store.services import set_secret
from tasks.models import Approval, Grant
from tasks.services.approvals.deciding import decide
from tasks.services.approvals.grants import GrantOffer
from tests.agents.conftest import Engine
from tests.agents.mcp import peers
from tests.agents.mcp.conftest import add_server, approve_everything, call_now, run_of, work, work_with
from tests.factories import Team


@pytest.fixture
def server(engine: Engine) -> McpServer:
    return add_server(engine.team.admin, "bad", **peers.misbehaving())


def scoped(actor: Actor, *scopes: str) -> Actor:
    return Actor(user=actor.user, organization=actor.organization, role=actor.role, scopes=frozenset(scopes))


def rivals_admin() -> Actor:
    return actor_for(Membership.objects.get(organization__slug="rivals", role="admin"))


HTTP: dict[str, Any] = {"transport": "http", "url": "https://mcp.example/mcp"}
STDIO: dict[str, Any] = {"transport": "stdio", "command": "npx"}


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("name", {**HTTP, "name": "Big"}),
        ("name", {**HTTP, "name": "a__b"}),
        ("name", {**HTTP, "name": "x" * 25}),
        ("url", {**HTTP, "url": "file:///etc/passwd"}),
        ("url", {**HTTP, "url": "https://name:word@mcp.example/"}),
        ("url", {**HTTP, "url": "https://mcp.example:99999/"}),
        ("command", {**HTTP, "command": "sh"}),
        ("url", {**STDIO, "headers": {"X": "y"}}),
        ("env", {**STDIO, "env": {"LD_PRELOAD": "/tmp/x.so"}}),
        ("env", {**STDIO, "env": {"NODE_OPTIONS": "--require=/tmp/x"}}),
        ("env", {**STDIO, "env": {"GITHUB_TOKEN": "ghp_written_out"}}),
        ("env", {**STDIO, "env": {"PLACE": "before secret:NAME after"}}),
        ("env", {**STDIO, "env": {"PLACE": "secret:MCP_SIGN_IN_1"}}),
        ("args", {**STDIO, "args": ["--key", "secret:NAME"]}),
        ("headers", {**HTTP, "headers": {"Authorization": "Bearer written-out"}}),
        ("headers", {**HTTP, "headers": {"Host": "elsewhere"}}),
        ("headers", {**HTTP, "headers": {"X": "a\r\nY: b"}}),
        ("headers", {**HTTP, "oauth": True, "headers": {"Authorization": "Bearer secret:X"}}),
        ("kinds", {**HTTP, "kinds": ["channel"]}),
        ("kinds", {**HTTP, "kinds": []}),
        ("timeout_s", {**HTTP, "timeout_s": 0}),
    ],
)
def test_what_cannot_be_a_server_is_refused_by_its_field(
    team: Team, field: str, values: dict[str, Any]
) -> None:
    with pytest.raises(InvalidInput) as refused:
        services.create_server(team.admin, **{"name": "new", **values})
    assert refused.value.field == field
    assert not McpServer.objects.exists()


def test_members_may_not_and_a_name_is_taken_once(team: Team) -> None:
    with pytest.raises(Forbidden):
        services.create_server(team.member, name="new", **HTTP)
    services.create_server(team.admin, name="new", **HTTP)
    with pytest.raises(Conflict):
        services.create_server(team.admin, name="new", **STDIO)
    assert AuditEvent.objects.filter(action="mcp_server.created").count() == 1


def test_who_refers_to_a_secret_needs_the_right_to_write_secrets(team: Team) -> None:
    values = {**HTTP, "headers": {"Authorization": "Bearer secret:BANK_KEY"}}
    limited = scoped(team.admin, "mcp:read", "mcp:write")
    with pytest.raises(Forbidden):
        services.create_server(limited, name="new", **values)
    server = services.create_server(team.admin, name="new", **values)
    with pytest.raises(Forbidden):
        services.update_server(limited, server.pk, url="https://thief.example/")
    with pytest.raises(Forbidden):
        services.update_server(limited, server.pk, agent_id=team.agent.pk)
    services.update_server(limited, server.pk, timeout_s=5)


def test_a_program_is_given_tool_secrets_and_never_system_secrets(team: Team) -> None:
    for name, category in (("FOR_TOOLS", "tool"), ("FOR_US", "system")):
        set_secret(None, team.organization, name=name, value=f"the value of {name}", category=category)
    where = {"organization_id": team.organization.pk, "agent_id": None}
    assert resolve({"A": "secret:FOR_TOOLS"}, **where, for_program=True) == {"A": "the value of FOR_TOOLS"}
    assert resolve({"A": "Bearer secret:FOR_US"}, **where) == {"A": "Bearer the value of FOR_US"}
    with pytest.raises(InvalidInput, match="system secret"):
        resolve({"A": "secret:FOR_US"}, **where, for_program=True)


def test_a_system_secret_that_an_agents_tool_secret_hides_is_still_not_handed_on(team: Team) -> None:
    set_secret(None, team.organization, name="KEY", value="shared and ours", category="tool")
    set_secret(
        None, team.organization, name="KEY", value="the agents own", category="system", agent_id=team.agent.pk
    )
    with pytest.raises(InvalidInput):
        resolve(
            {"A": "secret:KEY"},
            organization_id=team.organization.pk,
            agent_id=team.agent.pk,
            for_program=True,
        )


def test_a_program_gets_its_secret_and_a_row_never_holds_it(engine: Engine) -> None:
    set_secret(None, engine.team.organization, name="PLANTED", value="the planted value", category="tool")
    values = peers.misbehaving() | {"env": {"GREETING": "hello", "MY_TOKEN": "secret:PLANTED"}}
    add_server(engine.team.admin, "bad", approve=False, **values)
    tool = McpTool.objects.get(remote_name="echo")
    McpTool.objects.filter(pk=tool.pk).update(remote_name="environment", approved_digest=tool.digest)
    said = call_now(engine, "bad__echo")
    assert '"MY_TOKEN": "the planted value"' in said
    assert '"GREETING": "hello"' in said
    assert "planted value" not in str(McpServer.objects.values().get())


def test_another_organization_finds_nothing_and_shares_no_session(engine: Engine, server: McpServer) -> None:
    stranger = rivals_admin()
    tool = McpTool.objects.get(server=server)
    for act in (
        lambda: queries.get_server(stranger, server.pk),
        lambda: services.update_server(stranger, server.pk, enabled=False),
        lambda: services.delete_server(stranger, server.pk),
        lambda: services.look_again(stranger, server.pk),
        lambda: services.approve_tool(stranger, tool.pk, digest=tool.digest),
        lambda: services.withdraw_tool(stranger, tool.pk),
        lambda: services.approve_all(stranger, server.pk, digests={tool.pk: tool.digest}),
        lambda: services.begin_sign_in(stranger, server.pk),
    ):
        with pytest.raises(NotFound):
            act()
    theirs = add_server(stranger, "bad", **peers.misbehaving())
    call_now(engine, "bad__echo", text="x")
    ours = hub._sessions[server.pk]
    assert theirs.pk not in hub._sessions or hub._sessions[theirs.pk] is not ours
    run = run_of(engine)
    Run.objects.filter(pk=run.pk).update(organization=stranger.organization)
    run.organization_id = stranger.organization.pk
    assert [tool.pk for tool in McpTool.objects.filter(server=theirs)]
    assert set(offered_tools(run)) == {"bad__echo"}


def test_a_server_for_one_agent_and_some_kinds_is_offered_there_alone(engine: Engine) -> None:
    other = Agent.objects.create(organization=engine.team.organization, slug="other", name="Other")
    values = peers.misbehaving()
    add_server(engine.team.admin, "own", agent_id=other.pk, **values)
    add_server(engine.team.admin, "thoughts", kinds=["branch"], **values)
    assert list(offered_tools(run_of(engine))) == []
    assert list(offered_tools(run_of(engine, kind="branch"))) == ["thoughts__echo"]
    assert list(offered_tools(run_of(engine, kind="channel"))) == []
    run = run_of(engine)
    run.agent_id = other.pk
    assert list(offered_tools(run)) == ["own__echo"]


def test_approving_what_has_changed_since_it_was_read_is_a_conflict(engine: Engine) -> None:
    server = add_server(engine.team.admin, "bad", approve=False, **peers.misbehaving())
    row = McpTool.objects.get(server=server)
    read = row.digest
    McpTool.objects.filter(pk=row.pk).update(digest="f" * 64)
    with pytest.raises(Conflict):
        services.approve_tool(engine.team.admin, row.pk, digest=read)
    assert services.approve_all(engine.team.admin, server.pk, digests={row.pk: read}) == 0
    assert services.approve_all(engine.team.admin, server.pk, digests={row.pk: "f" * 64}) == 1
    assert services.approve_all(engine.team.admin, server.pk, digests={row.pk: "f" * 64}) == 0


@pytest.mark.parametrize("change", [{"enabled": False}, {"kinds": ["branch"]}])
def test_a_change_holds_for_a_run_that_is_under_way(
    engine: Engine, server: McpServer, change: dict[str, Any]
) -> None:
    set_policy(engine.team.admin, "bad__echo", "allow")
    spare = iter(
        [
            call("bad__echo", text="one"),
            call("bad__echo", text="two"),
            call("set_outcome", status="done", summary="x"),
        ]
    )

    def answer(request: Any) -> Any:
        following = next(spare)
        if "two" in str(following):
            services.update_server(engine.team.admin, server.pk, **change)
        return following

    made = work_with(engine, answer)
    assert [each.state for each in made] == ["succeeded", "failed"]
    assert "not offered any more" in made[1].result


def test_a_changed_server_gets_a_new_session_without_a_restart(engine: Engine, server: McpServer) -> None:
    call_now(engine, "bad__echo", text="one")
    before = hub._sessions[server.pk]
    services.update_server(engine.team.admin, server.pk, env={"GREETING": "x"})
    call_now(engine, "bad__echo", text="two")
    after = hub._sessions[server.pk]
    assert after is not before
    assert before.closed
    assert after.spec.env == {"GREETING": "x"}


def test_what_a_session_of_before_reports_is_not_taken_down(engine: Engine, server: McpServer) -> None:
    old = spec_of(server)
    services.update_server(engine.team.admin, server.pk, timeout_s=9)
    assert not record_listing(old, [Listed("evil")])
    assert not McpTool.objects.filter(remote_name="evil").exists()


def test_another_program_of_the_same_name_begins_anew(engine: Engine, server: McpServer) -> None:
    set_policy(engine.team.admin, "bad__echo", "allow")
    services.update_server(engine.team.admin, server.pk, args=[*server.args, "complain", "x"])
    assert offered_tools(run_of(engine)) == {}
    assert not ToolPolicy.objects.exists()
    server.refresh_from_db()
    assert (server.state, server.version) == (McpState.NEW, 2)


def test_removing_a_server_ends_what_was_allowed_to_its_tools(engine: Engine, server: McpServer) -> None:
    made = work(engine, call("bad__echo", text="x"))
    assert [each.state for each in made] == ["waiting"]
    approval = Approval.objects.get()
    decide(
        engine.team.moderator,
        approval.pk,
        verdict="approve",
        digest=approval.digest,
        grant=GrantOffer(ends_in_s=3600),
    )
    engine.settle()
    made[0].refresh_from_db()
    assert made[0].state == "succeeded"
    set_policy(engine.team.admin, "bad__echo", "allow")
    services.delete_server(engine.team.admin, server.pk)
    assert not Grant.objects.filter(revoked_at=None).exists()
    assert not ToolPolicy.objects.exists()
    assert not McpTool.objects.exists()


def test_an_approved_call_whose_tool_changed_meanwhile_does_not_run(
    engine: Engine, server: McpServer
) -> None:
    made = work(engine, call("bad__echo", text="x"))
    approval = Approval.objects.get()
    McpTool.objects.update(digest="e" * 64, approved_digest="e" * 64)
    decide(engine.team.moderator, approval.pk, "approve", digest=approval.digest)
    engine.settle()
    made[0].refresh_from_db()
    assert made[0].state == "refused"
    assert "Not done" in made[0].result


def test_a_call_whose_tool_was_withdrawn_while_it_waited_is_refused_in_order(
    engine: Engine, server: McpServer
) -> None:
    made = work(engine, call("bad__echo", text="x"))
    services.withdraw_tool(engine.team.admin, McpTool.objects.get().pk)
    approval = Approval.objects.get()
    decide(engine.team.moderator, approval.pk, "approve", digest=approval.digest)
    engine.settle()
    made[0].refresh_from_db()
    assert made[0].state in ("refused", "failed")
    assert Run.objects.filter(kind="worker").latest("id").state == "succeeded"


def test_policies_are_shown_and_set_for_tools_from_outside(engine: Engine, server: McpServer) -> None:
    shown = {tool.name: tool for tool in list_tools(engine.team.member)}
    assert shown["bad__echo"].default == "ask"
    assert shown["bad__echo"].kinds == ("worker",)
    with pytest.raises(NotFound):
        set_policy(rivals_admin(), "bad__echo", "allow")
    set_policy(engine.team.admin, "bad__echo", "disable")
    made = work(engine, call("bad__echo", text="x"))
    assert [each.state for each in made] == ["refused"]


def test_calls_from_many_threads_at_once_share_one_session(engine: Engine, server: McpServer) -> None:
    said: list[str] = []
    threads = [
        threading.Thread(
            target=lambda n=number: said.append(call_now(engine, "bad__echo", text=f"call {n}."))
        )
        for number in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(line for each in said for line in each.split("\n") if line.startswith("  ")) == [
        f"  call {number}." for number in range(8)
    ]


def test_a_server_is_looked_at_by_one_process_at_a_time(engine: Engine) -> None:
    server = services.create_server(engine.team.admin, name="bad", **peers.misbehaving())
    assert looking.due() == [server.pk]
    looking.look(server.pk)
    assert looking.due() == []
    server.refresh_from_db()
    connected = server.connected_at
    looking.look(server.pk)
    server.refresh_from_db()
    assert server.connected_at == connected
    approve_everything(engine.team.admin, server)
