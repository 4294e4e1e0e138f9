from __future__ import annotations

from typing import Any

import pytest

from accounts.errors import Conflict, Forbidden, InvalidInput, NotFound
from accounts.models import AuditEvent
from agents.links import queries, services
from agents.models import Agent, AgentLink, Report, RunKind, RunState, ToolCall
from agents.tools import colleagues
from llm.clients.scripted import Scripted, call, say
from llm.types import ChatRequest
from realtime.models import Notice
from tests.agents.conftest import Engine


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    queries._askable.clear()


@pytest.fixture
def researcher(team: Any) -> Agent:
    return Agent.objects.create(organization=team.organization, slug="rita", name="Rita")


def link(team: Any, first: Agent, second: Agent, **more: Any) -> AgentLink:
    return services.create_link(team.admin, first_agent_id=first.pk, second_agent_id=second.pk, **more)


def test_admins_link_agents_and_it_is_audited(team: Any, researcher: Agent) -> None:
    made = link(team, team.agent, researcher)
    assert list(queries.list_links(team.member)) == [made]
    services.change_link(team.admin, made.pk, kind="peer", two_way=True)
    services.remove_link(team.admin, made.pk)
    assert not AgentLink.objects.exists()
    acts = AuditEvent.objects.filter(action__startswith="agent_link.").order_by("id")
    assert [each.action.partition(".")[2] for each in acts] == ["created", "changed", "removed"]


def test_members_may_look_and_not_link(team: Any, researcher: Agent) -> None:
    made = link(team, team.agent, researcher)
    for act in (
        lambda: services.create_link(
            team.member, first_agent_id=researcher.pk, second_agent_id=team.agent.pk
        ),
        lambda: services.change_link(team.moderator, made.pk, two_way=True),
        lambda: services.remove_link(team.member, made.pk),
    ):
        with pytest.raises(Forbidden):
            act()


def test_nothing_is_linked_across_organizations(team: Any, rivals: Any, researcher: Agent) -> None:
    made = link(team, team.agent, researcher)
    with pytest.raises(NotFound):
        services.create_link(rivals.admin, first_agent_id=rivals.agent.pk, second_agent_id=researcher.pk)
    with pytest.raises(NotFound):
        services.remove_link(rivals.admin, made.pk)
    with pytest.raises(InvalidInput):
        services.create_link(team.admin, first_user_id=rivals.member.user.pk, second_agent_id=researcher.pk)


def test_two_are_linked_once_and_nobody_with_themselves(team: Any, researcher: Agent) -> None:
    link(team, team.agent, researcher)
    with pytest.raises(Conflict):
        link(team, researcher, team.agent, kind="peer")
    with pytest.raises(InvalidInput):
        link(team, researcher, researcher)
    with pytest.raises(InvalidInput):
        services.create_link(team.admin, second_agent_id=researcher.pk)
    with pytest.raises(InvalidInput):
        services.create_link(
            team.admin, first_user_id=team.member.user.pk, second_agent_id=researcher.pk, two_way=True
        )


def test_nobody_leads_those_who_lead_them(team: Any, researcher: Agent) -> None:
    third = Agent.objects.create(organization=team.organization, slug="tom", name="Tom")
    link(team, team.agent, researcher)
    link(team, researcher, third)
    with pytest.raises(InvalidInput, match="leads"):
        link(team, third, team.agent)
    peer = link(team, third, team.agent, kind="peer")
    with pytest.raises(InvalidInput, match="leads"):
        services.change_link(team.admin, peer.pk, kind="hierarchy")


def test_people_lead_agents(team: Any, researcher: Agent) -> None:
    services.create_link(team.admin, first_user_id=team.member.user.pk, second_agent_id=researcher.pk)
    assert queries.leaders_of(researcher.pk) == [team.member.user.pk]


ASK = call("send_agent_message", agent="Rita", message="When was the treaty signed?") + call(
    "reply", content="I ask."
)
TELL = call("reply", content="In 1648.")


@pytest.fixture
def rita(engine: Engine) -> Agent:
    return Agent.objects.create(
        organization=engine.team.organization, slug="rita", name="Rita", identity="You know history."
    )


def test_work_goes_along_a_link_and_its_result_returns_to_who_asked(engine: Engine, rita: Agent) -> None:
    link(engine.team, engine.team.agent, rita)
    channel = engine.script("channel", [ASK, TELL])
    asked = engine.script("branch", [call("conclude", status="done", conclusion="1648, in Münster.")])
    engine.say("when was it?")
    engine.settle()
    (run,) = engine.runs("colleague")
    assert (run.agent, run.state) == (rita, RunState.SUCCEEDED)
    assert run.requester_user == engine.team.member.user
    assert Report.objects.get().text == "1648, in Münster."
    assert engine.replies() == ["I ask.", "In 1648."]
    request = asked.requests[0]
    assert "You know history." in request.system[0]
    assert "when was it?" not in str(request), "a colleague sees its task and no conversation"
    assert "[report colleague Rita" in str(channel.requests[1])
    assert "Rita" in channel.requests[0].system[0]


@pytest.mark.parametrize("arrow", ["none", "against", "off"])
def test_without_an_open_link_nothing_goes_out(engine: Engine, rita: Agent, arrow: str) -> None:
    if arrow == "against":
        link(engine.team, rita, engine.team.agent)
    if arrow == "off":
        link(engine.team, engine.team.agent, rita)
        Agent.objects.filter(pk=rita.pk).update(enabled=False)
    engine.script("channel", [ASK])
    engine.say("when was it?")
    engine.settle()
    assert engine.runs("colleague") == []
    assert "You are linked with nobody" in ToolCall.objects.get(name="send_agent_message").result


def test_a_two_way_link_is_open_from_both_sides(engine: Engine, rita: Agent) -> None:
    link(engine.team, rita, engine.team.agent, two_way=True)
    assert [each.may_ask for each in queries.colleagues_of(engine.team.agent.pk)] == [True]


def test_two_who_hand_work_to_each_other_without_end_are_stopped_and_the_person_sees_why(
    engine: Engine, rita: Agent
) -> None:
    link(engine.team, engine.team.agent, rita, two_way=True)

    def hand_on(request: ChatRequest) -> Scripted:
        said = str(request.messages[-1].text)
        if "handed from agent to agent" in said:
            return call("conclude", status="failed", conclusion=said)
        other = "Spacebot" if "You are Rita." in request.system[0] else "Rita"
        ask = call("send_agent_message", agent=other, message=f"Do it, {len(str(request))}")
        return ask if "asks you" in said else call("conclude", status="done", conclusion="Handed on.")

    engine.script("channel", lambda request: ASK if "when" in str(request.messages[-1]) else say("Told."))
    engine.script("branch", hand_on)
    engine.say("when was it?")
    engine.settle()
    runs = engine.runs("colleague")
    assert [run.input["hops"] for run in runs] == list(range(1, colleagues.MOST_HOPS + 1))
    assert all(run.requester_user == engine.team.member.user for run in runs)
    refused = ToolCall.objects.get(run=runs[-1], name="send_agent_message")
    assert "That is" in refused.result or "limit was reached" in refused.result
    notice = Notice.objects.get(user=engine.team.member.user, kind="breaker")
    assert "4 times" in notice.text
    assert any("4 times" in report.text for report in Report.objects.all())


def test_an_hour_holds_so_many(engine: Engine, rita: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(colleagues, "MOST_IN_AN_HOUR", 1)
    link(engine.team, engine.team.agent, rita)
    again = call("send_agent_message", agent="Rita", message="Something else") + call(
        "reply", content="I ask."
    )
    engine.script("channel", [ASK, TELL, again])
    engine.script("branch", [call("conclude", status="done", conclusion="1648")])
    engine.say("when was it?")
    engine.settle()
    engine.say("and the other?")
    engine.settle()
    assert len(engine.runs("colleague")) == 1
    assert Notice.objects.filter(kind="breaker").exists()


def test_a_colleague_holds_no_tools_that_speak_or_act(engine: Engine) -> None:
    from agents.tools.registry import tools_for

    held = set(tools_for(RunKind.COLLEAGUE))
    assert held == {"send_agent_message", "spawn_worker", "memory_recall", "conclude"}
