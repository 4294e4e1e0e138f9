from __future__ import annotations

import re
import time
from typing import Any

from django.utils import timezone
from playwright.sync_api import expect

from agents.models import Run, RunKind, RunState
from agents.payloads import run_payload
from messaging.models import Conversation, Message
from messaging.services.conversations import start_conversation
from realtime.services import NewEvent, publish_transient, record
from tests.browser.conftest import OpenAs, Program, Web
from tests.factories import Team


def private_chat(team: Team, **fields: Any) -> Conversation:
    return start_conversation(team.member, agent_id=team.agent.pk, kind="dm", **fields)


def write(page: Any, text: str) -> None:
    page.get_by_label("Message to").fill(text)
    page.keyboard.press("Enter")


def test_the_first_conversation_from_the_home_page(team: Team, open_as: OpenAs, worker: Program) -> None:
    page = open_as(team.member)
    page.get_by_role("link", name="New conversation").first.click()
    page.get_by_role("button", name="Start").click()
    page.wait_for_url("**/chat/*/")
    page.get_by_role("button", name="Say hello").click()
    page.keyboard.press("Enter")
    stream = page.locator("#stream")
    expect(stream.locator(".message")).to_have_count(2)
    expect(stream).to_contain_text("No model is configured")
    expect(page.locator("#typing")).to_be_hidden()
    page.reload()
    expect(stream.locator(".message")).to_have_count(2)


def test_a_worker_shows_as_a_card_and_its_result_is_told(
    team: Team, open_as: OpenAs, worker: Program
) -> None:
    page = open_as(team.member, f"/chat/{private_chat(team).pk}/")
    write(page, "write a file notes.txt saying hi")
    card = page.locator(".run-card")
    expect(card).to_have_attribute("data-state", "succeeded")
    expect(page.locator("#stream")).to_contain_text("I wrote notes.txt")
    card.get_by_role("link").click()
    expect(page.locator("#drawer")).to_contain_text("write_file")
    expect(page).to_have_url(re.compile("drawer="))
    page.keyboard.press("Escape")
    expect(page.locator("#drawer")).to_be_hidden()


def test_a_branch_shows_as_a_card_and_finishes(team: Team, open_as: OpenAs, worker: Program) -> None:
    page = open_as(team.member, f"/chat/{private_chat(team).pk}/")
    write(page, "think about the plan for spring")
    expect(page.locator(".run-card")).to_have_attribute("data-state", "succeeded")
    expect(page.locator(".message[data-author=agent]").last).to_contain_text(re.compile("plan|thought", re.I))


def test_text_streams_before_the_message_is_stored(team: Team, open_as: OpenAs) -> None:
    chat = private_chat(team)
    page = open_as(team.member, f"/chat/{chat.pk}/")
    say = lambda kind, **payload: publish_transient(  # noqa: E731
        team.organization.pk, NewEvent(kind, {"run_id": 7, **payload}, conversation_id=chat.pk)
    )
    say("typing", on=True)
    expect(page.locator("#typing")).to_be_visible()
    say("reply.delta", text="Spring comes ")
    say("reply.delta", text="in May.")
    draft = page.locator(".message [data-streaming]")
    expect(draft).to_have_text("Spring comes in May.")
    say("reply.reset")
    expect(draft).to_have_count(0)
    expect(page.locator("#typing")).to_be_visible()
    expect(page.get_by_role("button", name="Stop answering")).to_be_visible()
    say("typing", on=False)
    expect(page.locator("#typing")).to_be_hidden()
    expect(page.get_by_role("button", name="Stop answering")).to_be_hidden()


def test_a_worker_can_be_cancelled_from_its_card(team: Team, open_as: OpenAs, worker: Program) -> None:
    chat = private_chat(team)
    run = Run.objects.create(
        organization=team.organization,
        agent=team.agent,
        conversation=chat,
        kind=RunKind.WORKER,
        state=RunState.WAITING,
        interactive=True,
        title="Count the links",
        due_at=timezone.now(),
        started_at=timezone.now(),
    )
    page = open_as(team.member, f"/chat/{chat.pk}/")
    page.get_by_role("button", name="Cancel: Count the links").click()
    expect(page.locator(f"#run-{run.pk}")).to_have_attribute("data-state", "cancelled")
    expect(page.locator(f"#run-{run.pk}")).to_contain_text("Cancelled")


def test_what_happened_while_the_server_was_away_is_replayed_below_a_divider(
    team: Team, open_as: OpenAs, web: Web
) -> None:
    chat = private_chat(team)
    page = open_as(team.member, f"/chat/{chat.pk}/")
    web.stop()
    expect(page.locator("#connection")).to_have_attribute("data-state", "reconnecting")
    expect(page.locator(".divider-lost")).to_be_visible()
    page.get_by_label("Message to").fill("Are you there?")
    page.keyboard.press("Enter")
    expect(page.locator(".message-note.bad")).to_contain_text("Your text is kept")
    page.wait_for_timeout(1600)
    payload = run_payload(
        Run.objects.create(
            organization=team.organization,
            agent=team.agent,
            conversation=chat,
            kind=RunKind.BRANCH,
            title="Missed me",
            due_at=timezone.now(),
        )
    )
    record(team.organization.pk, NewEvent("run.changed", {"run": payload}, conversation_id=chat.pk))
    web.start()
    expect(page.locator(".divider-lost + .run-card, .divider-lost ~ .run-card")).to_contain_text(
        "Missed me", timeout=60_000
    )
    expect(page.locator("#connection")).to_have_attribute("data-state", "connected")
    page.get_by_role("button", name="Send again").click()
    expect(page.locator(".message[data-pending]")).to_have_count(0)
    assert Message.objects.filter(conversation=chat, text="Are you there?").count() == 1


def test_a_colleague_in_a_shared_conversation_sees_it_live(
    team: Team, open_as: OpenAs, worker: Program
) -> None:
    chat = start_conversation(
        team.member, agent_id=team.agent.pk, kind="group", title="Rota", user_ids=[team.owner.user.pk]
    )
    mine, theirs = open_as(team.member, f"/chat/{chat.pk}/"), open_as(team.owner, f"/chat/{chat.pk}/")
    write(mine, "hello everybody")
    expect(theirs.locator("#stream")).to_contain_text("hello everybody")
    expect(theirs.locator(".message-author").first).to_have_text(team.member.user.name)
    expect(mine.locator(".message")).to_have_count(2, timeout=20_000)
    expect(theirs.locator(".message")).to_have_count(2)


def test_a_private_conversation_stays_closed_to_others(team: Team, open_as: OpenAs) -> None:
    chat = private_chat(team)
    page = open_as(team.owner)
    assert page.goto(f"/chat/{chat.pk}/").status == 404
    expect(page.locator("h1")).to_have_text("There is nothing here")


def test_older_messages_come_while_scrolling_without_moving_the_page(team: Team, open_as: OpenAs) -> None:
    chat = private_chat(team)
    Message.objects.bulk_create(
        Message(
            organization=team.organization,
            conversation=chat,
            seq=seq,
            direction="out",
            author_name="Spacebot",
            text=f"line {seq}",
            handling="not_needed",
        )
        for seq in range(1, 121)
    )
    Conversation.objects.filter(pk=chat.pk).update(last_seq=120)
    page = open_as(team.member, f"/chat/{chat.pk}/")
    expect(page.locator("[data-seq='120']")).to_be_in_viewport()
    expect(page.locator("[data-seq='1']")).to_have_count(0)
    until = time.monotonic() + 30
    while not page.locator("[data-seq='1']").count() and time.monotonic() < until:
        page.locator("#scroll").evaluate("box => box.scrollTo(0, 0)")
        page.wait_for_timeout(300)
    expect(page.locator("[data-seq='1']")).to_have_count(1)
    seqs = page.locator(".message").evaluate_all("rows => rows.map(row => Number(row.dataset.seq))")
    assert seqs == list(range(1, 121))


def test_a_draft_survives_a_reload(team: Team, open_as: OpenAs) -> None:
    page = open_as(team.member, f"/chat/{private_chat(team).pk}/")
    page.get_by_label("Message to").fill("half a thought")
    page.reload()
    expect(page.get_by_label("Message to")).to_have_value("half a thought")


def test_a_run_page_follows_its_run(team: Team, open_as: OpenAs) -> None:
    chat = private_chat(team)
    fields = {
        "organization": team.organization,
        "agent": team.agent,
        "conversation": chat,
        "due_at": timezone.now(),
    }
    run = Run.objects.create(kind=RunKind.WORKER, state=RunState.RUNNING, status_text="1 of 2", **fields)
    page = open_as(team.member, f"/runs/{run.pk}/")
    expect(page.locator("#run-fresh")).to_contain_text("1 of 2")
    run.status_text = "2 of 2"
    run.save()
    record(team.organization.pk, NewEvent("run.changed", {"run": run_payload(run)}, conversation_id=chat.pk))
    expect(page.locator("#run-fresh")).to_contain_text("2 of 2")
