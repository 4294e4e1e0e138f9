"""What stands at messages and between them: replies, reactions, summaries."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import expect

from agents.models import Checkpoint
from agents.payloads import checkpoint_payload
from messaging.models import Conversation, Message, Reaction
from messaging.services.conversations import start_conversation
from realtime.services import NewEvent, record
from tests.browser.conftest import OpenAs, check_accessible
from tests.browser.test_access import check_fits
from tests.factories import Team


def talk(team: Team, *, lines: int) -> Conversation:
    """Return a shared conversation of the member and the owner in which the agent said `lines` lines."""
    chat = start_conversation(
        team.member, agent_id=team.agent.pk, kind="group", title="Rota", user_ids=[team.owner.user.pk]
    )
    Message.objects.bulk_create(
        Message(
            organization=team.organization,
            conversation=chat,
            seq=seq,
            direction="out",
            author_name="Spacebot",
            text=f"**line** {seq}.",
            handling="not_needed",
        )
        for seq in range(1, lines + 1)
    )
    Conversation.objects.filter(pk=chat.pk).update(last_seq=lines)
    return chat


def message(page: Any, seq: int) -> Any:
    return page.locator(f".message[data-seq='{seq}']")


def test_a_reply_quotes_what_it_answers_for_everyone(team: Team, open_as: OpenAs) -> None:
    chat = talk(team, lines=3)
    mine, theirs = open_as(team.member, f"/chat/{chat.pk}/"), open_as(team.owner, f"/chat/{chat.pk}/")
    message(mine, 2).hover()
    message(mine, 2).get_by_role("button", name="Reply").click()
    bar = mine.locator("#replying")
    expect(bar).to_contain_text("Spacebot line 2.")
    mine.keyboard.press("Escape")
    expect(bar).to_be_hidden()
    message(mine, 2).hover()
    message(mine, 2).get_by_role("button", name="Reply").click()
    mine.keyboard.type("Why two?")
    mine.keyboard.press("Enter")
    expect(bar).to_be_hidden()
    for page in (mine, theirs):
        expect(message(page, 4).locator(".quote")).to_contain_text("line 2.")
    assert Message.objects.get(seq=4, conversation=chat).reply_to == Message.objects.get(
        seq=2, conversation=chat
    )
    mine.reload()
    expect(message(mine, 4).locator(".quote")).to_contain_text("line 2.")


def test_a_quote_leads_to_a_message_that_was_not_loaded(team: Team, open_as: OpenAs) -> None:
    chat = talk(team, lines=130)
    first = Message.objects.get(conversation=chat, seq=1)
    Message.objects.filter(conversation=chat, seq=130).update(reply_to=first)
    page = open_as(team.member, f"/chat/{chat.pk}/")
    expect(message(page, 1)).to_have_count(0)
    message(page, 130).locator(".quote").click()
    expect(message(page, 1)).to_be_in_viewport()
    page.goto("/home/")
    page.goto(f"/chat/{chat.pk}/#m{first.pk}")
    expect(message(page, 1)).to_be_in_viewport()


def test_reactions_are_seen_joined_and_taken_back(team: Team, open_as: OpenAs) -> None:
    chat = talk(team, lines=2)
    mine, theirs = open_as(team.member, f"/chat/{chat.pk}/"), open_as(team.owner, f"/chat/{chat.pk}/")
    message(mine, 2).hover()
    message(mine, 2).get_by_role("button", name="React").click()
    mine.get_by_role("group", name="Reactions").get_by_role("button", name="🎉").click()
    expect(mine.locator(".picker")).to_have_count(0)
    chip = theirs.locator(".reaction")
    expect(chip).to_have_text("🎉1")
    expect(chip).to_have_attribute("aria-pressed", "false")
    chip.click()
    expect(mine.locator(".reaction")).to_have_text("🎉2")
    check_accessible(mine)
    mine.locator(".reaction").click()
    expect(theirs.locator(".reaction")).to_have_text("🎉1")
    expect(mine.locator(".reaction")).to_have_attribute("aria-pressed", "false")
    assert Reaction.objects.get().person.user == team.owner.user  # type: ignore[union-attr]


def test_the_picker_fits_a_narrow_phone(team: Team, open_as: OpenAs) -> None:
    page = open_as(team.member, f"/chat/{talk(team, lines=2).pk}/", width=360, height=740)
    message(page, 1).hover()
    message(page, 1).get_by_role("button", name="React").click()
    expect(page.locator(".picker")).to_be_visible()
    box = page.locator(".picker").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 360
    check_fits(page)
    page.keyboard.press("Escape")
    expect(page.locator(".picker")).to_have_count(0)


def test_a_summary_appears_behind_its_messages_and_opens(team: Team, open_as: OpenAs) -> None:
    chat = talk(team, lines=6)
    fields = {"organization": team.organization, "conversation": chat}
    Checkpoint.objects.create(from_seq=1, to_seq=2, title="The beginning", summary="Two lines.", **fields)
    page = open_as(team.member, f"/chat/{chat.pk}/")
    expect(page.locator("[data-seq='2'] + .checkpoint")).to_contain_text("Summarised: The beginning")
    expect(page.locator(".checkpoint-text")).to_be_hidden()
    later = Checkpoint.objects.create(
        from_seq=3, to_seq=4, title="The middle", summary="<b>Two</b> more.", **fields
    )
    record(
        team.organization.pk,
        NewEvent("checkpoint.created", {"checkpoint": checkpoint_payload(later)}, conversation_id=chat.pk),
    )
    live = page.locator("[data-seq='4'] + .checkpoint")
    expect(live).to_contain_text("Summarised: The middle")
    live.locator("summary").click()
    expect(live.locator(".checkpoint-text")).to_have_text("<b>Two</b> more.")
    expect(live).to_contain_text("messages 3 to 4")
    check_accessible(page)
