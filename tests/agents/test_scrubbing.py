"""The gates of a run: what a model is shown, what is recorded and said, and what can be seen of it."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from accounts.errors import InvalidInput
from accounts.models import AuditEvent
from agents.engine import streaming
from agents.models import RunKind, Step, ToolCall
from agents.services.agents import update_agent
from llm.clients.scripted import call, fail, say
from llm.errors import RequestRefused
from llm.types import ChatRequest
from messaging.models import Message
from messaging.services.messages import append_outbound
from secret_store import locking, shields
from secret_store.services import set_secret
from tests.agents.conftest import Engine

VALUE = "v4lue-of-the-Deploy-key"
TOKEN = "ghp_a1B2c3D4e5F6a7B8c9D0e1F2a3B4c5D6e7F8"
DONE = call("set_outcome", status="done", summary="ok")


@pytest.fixture(autouse=True)
def known(engine: Engine) -> None:
    shields.forget()
    set_secret(None, engine.team.organization, name="DEPLOY_KEY", value=VALUE)


def everything_stored() -> str:
    parts = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f'SELECT row_to_json(t)::text FROM "{table}" AS t')
            parts += [row[0] for row in cursor.fetchall()]
    return "\n".join(parts)


def read_a_file(engine: Engine, content: str) -> list[str]:
    """Let a worker read a file; return what its model was shown."""
    shown: list[str] = []

    def model(request: ChatRequest) -> Any:
        shown.append(repr(request.messages))
        return DONE if len(shown) > 1 else call("read_file", path="notes.txt")

    engine.workspace.mkdir(parents=True, exist_ok=True)
    (engine.workspace / "notes.txt").write_text(content)
    engine.script("worker", model)
    engine.script("channel", [call("spawn_worker", task="Read notes.txt"), say("It reads."), say("Done.")])
    engine.say("Read it.")
    engine.settle()
    return shown


def test_a_secret_in_a_tool_result_is_neither_shown_nor_recorded_and_the_work_goes_on(engine: Engine) -> None:
    shown = read_a_file(engine, f"the key is {VALUE}, the token {TOKEN}")
    assert "the key is [secret DEPLOY_KEY], the token [secret github]" in shown[-1]
    assert VALUE not in everything_stored()
    assert TOKEN not in everything_stored()
    read = ToolCall.objects.get(name="read_file")
    assert read.redactions == {"DEPLOY_KEY": 1, "github": 1}
    assert engine.runs(RunKind.WORKER)[0].state == "succeeded"


@pytest.mark.parametrize(
    ("mode", "seen"),
    [
        (None, "[secret DEPLOY_KEY] [secret github]"),
        ("patterns", "[secret DEPLOY_KEY] [secret github]"),
        ("own", f"[secret DEPLOY_KEY] {TOKEN}"),
        ("off", f"{VALUE} {TOKEN}"),
    ],
)
def test_an_agents_mode_says_what_is_taken_out(engine: Engine, mode: str | None, seen: str) -> None:
    if mode:
        update_agent(engine.team.admin, engine.team.agent.pk, settings={"scrubbing": mode})
        change = AuditEvent.objects.filter(action="agent.changed").latest("pk")
        assert change.detail["settings"]["after"] == {"scrubbing": mode}
    assert seen in read_a_file(engine, f"{VALUE} {TOKEN}")[-1]
    message = append_outbound(
        engine.conversation.pk, run_id=None, author_name="A", text=f"{VALUE} {TOKEN}", key="k"
    )
    assert message.text == seen


def test_there_is_no_other_mode(engine: Engine) -> None:
    with pytest.raises(InvalidInput):
        update_agent(engine.team.admin, engine.team.agent.pk, settings={"scrubbing": "some"})


def test_what_a_model_says_is_scrubbed_before_it_is_recorded_or_said_and_shows_at_the_step(
    engine: Engine,
) -> None:
    engine.script("channel", [call("reply", content=f"It is {VALUE}.")])
    engine.say("Tell me.")
    engine.settle()
    assert engine.replies() == ["It is [secret DEPLOY_KEY]."]
    assert VALUE not in everything_stored()
    assert Step.objects.latest("pk").scrubbing == {"hits": {"DEPLOY_KEY": 1}}


def test_what_a_person_wrote_stays_theirs_and_is_not_shown_to_the_model(engine: Engine) -> None:
    model = engine.script("channel", [say("Thank you.")])
    engine.say(f"Our key is {VALUE}")
    engine.settle()
    assert "Our key is [secret DEPLOY_KEY]" in repr(model.requests[-1].messages)
    assert Message.objects.filter(text__contains=VALUE).count() == 1
    step = Step.objects.latest("pk")
    assert VALUE not in str(step.added)
    assert step.scrubbing["hits"] == {"DEPLOY_KEY": 1}


def test_a_vendors_error_that_quotes_a_secret_is_kept_without_it(engine: Engine) -> None:
    engine.script("channel", [fail(RequestRefused("no", vendor_text=f"bad key {VALUE}"))])
    engine.say("Hello")
    engine.settle()
    assert VALUE not in everything_stored()


def test_locked_a_run_goes_on_by_patterns_and_says_so(engine: Engine) -> None:
    locking.lock(None, "correct horse battery")
    engine.script("channel", [say(f"It is {TOKEN}.")])
    engine.say("Tell me.")
    engine.settle()
    assert engine.replies() == ["It is [secret github]."]
    assert "locked" in Step.objects.latest("pk").scrubbing["blind"]


def test_metadata_of_a_message_is_scrubbed_and_says_what_was_found(engine: Engine) -> None:
    message = append_outbound(
        engine.conversation.pk, run_id=None, author_name="A", text="x", key="k", metadata={"card": [VALUE]}
    )
    assert message.metadata == {"card": ["[secret DEPLOY_KEY]"], "redactions": {"DEPLOY_KEY": 1}}


def test_a_file_that_holds_a_secret_is_known_by_it_packed_or_not(engine: Engine) -> None:
    import gzip

    shield = shields.look(engine.team.organization.pk, engine.team.agent.pk, mode=None)
    assert shield.secrets_in(b"\x89PNG\0" + VALUE.encode()) == {"DEPLOY_KEY": 1}
    assert shield.secrets_in(gzip.compress(VALUE.encode() * 3)) == {"DEPLOY_KEY": 3}
    assert shield.secrets_in(b"\x89PNG\0 nothing") == {}


def test_what_people_see_while_it_is_written_completes_nothing_that_was_said_before(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    monkeypatch.setattr(streaming, "FLUSH_S", 0.0)
    monkeypatch.setattr(
        streaming, "publish_transient", lambda organization, event: seen.append(event.payload.get("text", ""))
    )
    engine.script(
        "channel",
        [
            call("reply", content=f"It begins {VALUE[:9]}"),
            call("reply", content=f"{VALUE[9:]} and that is all, thank you."),
        ],
    )
    for words in ("Tell me.", "Go on."):
        engine.say(words)
        engine.settle()
    assert engine.replies()[1] == "[secret DEPLOY_KEY] and that is all, thank you."
    assert "and that is all" in "".join(seen)
    assert VALUE[9:] not in "".join(seen)
