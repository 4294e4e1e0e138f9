from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.errors import Forbidden, NotFound
from accounts.models import Membership, Role
from agents.cortex import services
from agents.models import Agent, CallState, Prompt, Run, Step, ToolCall
from agents.processes.keeper import keep_what_is_quiet
from agents.services.conversations import send_message
from agents.tools.registry import TOOLS, tools_for
from llm.clients.scripted import call
from llm.models import LedgerEntry, ModelEntry, Provider, Route
from llm.services.routing import forget_routing
from memory.services.saving import save_memory
from memory.types import person
from messaging.models import Binding, Conversation, Delivery, Message, Participant, PlatformAccount
from messaging.services.conversations import add_participant
from secret_store.services import set_secret
from tests.agents.conftest import Engine
from tests.factories import Team, make_team

WHISPER = "whispered-in-private"
LOOKING = {name: {} for name in sorted(tools_for("cortex")) if name not in ("reply", "skip")}


@pytest.fixture
def chat(engine: Engine) -> Conversation:
    """An administrator's conversation about the system, with a model of its own."""
    organization = engine.team.organization
    provider = Provider.objects.get(organization=organization)
    entry = ModelEntry.objects.create(organization=organization, provider=provider, name="cortex-script")
    Route.objects.create(organization=organization, process="cortex", entry=entry)
    forget_routing(organization.pk)
    return services.open_chat(engine.team.admin, engine.team.agent.pk)


def ask(engine: Engine, chat: Conversation, tool: str, **arguments: Any) -> ToolCall:
    """Let the model call one tool and answer; return the call."""
    engine.script("cortex", [call(tool, **arguments), call("reply", content="There.")])
    send_message(engine.team.admin, chat.pk, text="how is it?")
    engine.settle()
    return ToolCall.objects.filter(run__conversation=chat, name=tool).latest("pk")


def whisper(engine: Engine) -> Run:
    """Fill a private conversation of a member with words in every place where a run keeps some."""
    team, now = engine.team, timezone.now()
    common: dict[str, Any] = {"organization": team.organization}
    prompt = Prompt.objects.create(digest=WHISPER, system=[WHISPER], tools=[], **common)
    run = Run.objects.create(
        agent=team.agent, conversation=engine.conversation, kind="worker", state="failed", title=WHISPER,
        input={"task": WHISPER}, result={"text": WHISPER}, status_text=WHISPER, cancel_reason=WHISPER,
        failure={"class": "Reported", "message": WHISPER, "vendor": WHISPER}, prompt=prompt, due_at=now,
        started_at=now, finished_at=now, **common,
    )  # fmt: skip
    step = Step.objects.create(
        run=run, number=1, added=[WHISPER], response={"text": WHISPER}, model="m", started_at=now,
        finished_at=now, **common,
    )  # fmt: skip
    for position, name in enumerate(["write_file", f"tool {WHISPER}"]):
        ToolCall.objects.create(
            run=run, step=step, position=position, call_id="1", name=name, arguments={"text": WHISPER},
            state=CallState.FAILED, key=f"k{position}", result=WHISPER, started_at=now, finished_at=now, **common,
        )  # fmt: skip
    message = Message.objects.create(
        conversation=engine.conversation, seq=900, direction="in", author_name=WHISPER, text=WHISPER,
        handling="unanswered", **common,
    )  # fmt: skip
    Message.objects.filter(pk=message.pk).update(created_at=now - timedelta(minutes=5))
    Delivery.objects.create(message=message, text=WHISPER, key="d", state="failed", error=WHISPER, **common)
    Conversation.objects.filter(pk=engine.conversation.pk).update(title=WHISPER)
    Participant.objects.filter(conversation=engine.conversation).first()
    mia = Participant.objects.get(conversation=engine.conversation).person
    save_memory(
        organization_id=team.organization.pk, agent_id=team.agent.pk, type="fact", content=WHISPER,
        heard_by=person(mia.pk),
    )  # fmt: skip
    return run


@pytest.fixture(autouse=True)
def _hashing(settings: Any) -> None:
    settings.SPACEBOT_EMBEDDER = "hashing"


def test_an_administrator_asks_and_is_answered_over_the_model_of_the_cortex(
    engine: Engine, chat: Conversation
) -> None:
    found = ask(engine, chat, "system_overview")
    assert found.state == "succeeded"
    assert "- agents: spacebot" in found.result
    model = engine.models["cortex"]
    assert Message.objects.get(conversation=chat, direction="out").text == "There."
    assert {tool.name for tool in model.requests[0].tools} == {*LOOKING, "reply", "skip"}
    assert "administrator" in model.requests[0].system[0]


def test_every_looking_tool_only_reads_and_is_held_by_nobody_else() -> None:
    for tool in TOOLS:
        if "cortex" in tool.kinds and tool.name not in ("reply", "skip"):
            assert tool.kinds == {"cortex"}
            assert tool.repeatable
    assert len(LOOKING) == 9


def test_the_words_of_a_private_conversation_reach_no_administrator_outside_it(
    engine: Engine, chat: Conversation
) -> None:
    run = whisper(engine)
    for tool in LOOKING:
        arguments = {"run_id": run.pk} if tool == "inspect_run" else {}
        found = ask(engine, chat, tool, **arguments)
        assert found.state == "succeeded", found.result
        assert WHISPER not in found.result, tool
    assert "write_file, failed" in ToolCall.objects.get(run__conversation=chat, name="inspect_run").result
    assert "Reported" in ToolCall.objects.get(run__conversation=chat, name="list_failures").result
    assert f"conversation {engine.conversation.pk}" in (
        ToolCall.objects.get(run__conversation=chat, name="list_unsettled").result
    )


def test_who_takes_part_reads_the_words_as_everywhere_else(engine: Engine, chat: Conversation) -> None:
    run = whisper(engine)
    Conversation.objects.filter(pk=engine.conversation.pk).update(kind="group")
    add_participant(engine.team.member, engine.conversation.pk, user_id=engine.team.admin.user.pk)
    found = ask(engine, chat, "inspect_run", run_id=run.pk)
    assert WHISPER in found.result


def test_nothing_of_another_organization_is_seen(engine: Engine, chat: Conversation) -> None:
    third = make_team("third")
    Agent.objects.filter(pk=third.agent.pk).update(slug="third-agent", name="Third agent")
    strange = Run.objects.create(
        organization=third.organization, agent=third.agent, kind="worker", state="failed", due_at=timezone.now(),
        finished_at=timezone.now(), failure={"class": "ThirdError"},
    )  # fmt: skip
    LedgerEntry.objects.create(
        organization=third.organization, process="channel", provider_name="third", model_asked="third-model",
        outcome="unavailable",
    )  # fmt: skip
    Provider.objects.create(organization=third.organization, name="third-provider", kind="openai_chat")
    for tool in LOOKING:
        arguments = {"run_id": strange.pk} if tool == "inspect_run" else {}
        found = ask(engine, chat, tool, **arguments)
        assert "third" not in found.result.lower(), tool
    assert "no such run" in ToolCall.objects.get(name="inspect_run").result
    refused = ask(engine, chat, "cortex_state", agent="third-agent")
    assert "There is no agent" in refused.result


def test_who_is_no_administrator_any_more_is_refused_at_the_call(engine: Engine, chat: Conversation) -> None:
    Membership.objects.filter(user=engine.team.admin.user).update(role=Role.MEMBER)
    for tool in LOOKING:
        found = ask(engine, chat, tool, **({"run_id": 1} if tool == "inspect_run" else {}))
        assert found.state == "failed"
        assert "only administrators" in found.result


def test_a_member_does_not_get_one_even_with_the_setting(engine: Engine, chat: Conversation) -> None:
    Conversation.objects.filter(pk=engine.conversation.pk).update(settings={"cortex": True})
    engine.script("cortex", [call("system_overview"), call("reply", content="There.")])
    engine.say("how is it?")
    engine.settle()
    assert "only administrators" in ToolCall.objects.get(name="system_overview").result


def test_a_shared_conversation_with_the_setting_holds_no_looking_tools(
    engine: Engine, chat: Conversation
) -> None:
    Conversation.objects.filter(pk=chat.pk).update(kind="group")
    model = engine.script("channel", [call("system_overview"), call("reply", content="No.")])
    send_message(engine.team.admin, chat.pk, text="how is it?")
    engine.settle()
    assert "system_overview" not in {tool.name for tool in model.requests[0].tools}
    assert ToolCall.objects.get(name="system_overview").state == "refused"


def test_nobody_else_may_be_listening(engine: Engine, chat: Conversation) -> None:
    other = Participant.objects.get(conversation=engine.conversation)
    Participant.objects.create(organization=engine.team.organization, conversation=chat, person=other.person)
    assert "own private conversation" in ask(engine, chat, "system_overview").result


def test_keys_and_what_may_be_one_are_not_in_the_configuration(engine: Engine, chat: Conversation) -> None:
    organization = engine.team.organization
    set_secret(None, organization, name="VENDOR_KEY", value="sk-hidden-value-98765")
    Provider.objects.create(
        organization=organization, name="vendor", kind="openai_chat", secret_name="VENDOR_KEY",
        base_url="https://me:hidden-word@models.test:8443/v1?key=hidden-word",
    )  # fmt: skip
    account = PlatformAccount.objects.create(
        organization=organization,
        platform="discord",
        settings={"token": "hidden-word", "guild": "hidden-word"},
    )
    Binding.objects.create(organization=organization, account=account, agent_id=engine.team.agent.pk)
    result = ask(engine, chat, "configuration").result
    assert "hidden" not in result
    assert "openai_chat at https://models.test:8443/v1, on, has a key" in result
    assert "discord: on, stopped, 1 bindings, settings guild, token" in result


def test_costs_are_summed_by_model_agent_and_process(engine: Engine, chat: Conversation) -> None:
    for cost in ("0.5", "0.25", None):
        LedgerEntry.objects.create(
            organization=engine.team.organization, agent_id=engine.team.agent.pk, process="worker",
            provider_name="vendor", model_asked="large", outcome="succeeded", input_tokens=10, cost_usd=cost,
        )  # fmt: skip
    result = ask(engine, chat, "costs").result
    assert (
        "- large of vendor: 3 requests, 30 tokens in, 0 out, $0.7500 and 1 requests of unknown cost" in result
    )
    assert "- spacebot, worker: 3 requests" in result


def test_there_is_one_chat_for_each_administrator_and_only_they_are_in_it(
    engine: Engine, chat: Conversation
) -> None:
    team = engine.team
    assert services.open_chat(team.admin, team.agent.pk) == chat
    theirs = services.open_chat(team.owner, team.agent.pk)
    assert theirs != chat
    assert [each.person.user for each in chat.participants.all()] == [team.admin.user]
    with pytest.raises(Forbidden):
        services.open_chat(team.moderator, team.agent.pk)
    with pytest.raises(NotFound):
        services.open_chat(make_team("third").owner, team.agent.pk)


def test_nothing_of_it_is_remembered(engine: Engine, chat: Conversation) -> None:
    for _ in range(12):
        ask(engine, chat, "system_overview")
    Conversation.objects.update(last_message_at=timezone.now() - timedelta(hours=1))
    keep_what_is_quiet()
    assert not Run.objects.filter(conversation=chat, kind="keeping").exists()


@pytest.mark.parametrize(
    ("question", "tool"),
    [
        ("What failed today?", "list_failures"),
        ("how much did we spend this week", "costs"),
        ("is anything stuck?", "list_unsettled"),
        ("show me run 1", "inspect_run"),
        ("what is running", "list_runs"),
        ("how is it set up", "configuration"),
        ("hello", "system_overview"),
    ],
)
def test_without_a_model_simple_questions_are_answered_by_rules(team: Team, question: str, tool: str) -> None:
    from agents.engine.executor import execute_run

    chat = services.open_chat(team.admin, team.agent.pk)
    send_message(team.admin, chat.pk, text=question)
    run = Run.objects.get(conversation=chat)
    assert execute_run(run.pk, run.kind, chat.pk)
    called = ToolCall.objects.get(run=run, name=tool)
    reply = Message.objects.get(conversation=chat, direction="out").text
    assert called.result in reply
    assert "No model is configured" in reply
