"""Changing providers and the people of a conversation, in a real browser."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import expect

from llm.fakes import FakeProvider, FakeReply
from llm.models import Provider
from llm.services.setup import add_provider
from messaging.services.conversations import start_conversation
from tests.browser.conftest import OpenAs, check_accessible, new_page
from tests.factories import Team


def house(team: Team, **fields: Any) -> Provider:
    fields = {"base_url": "http://127.0.0.1:9/v1", "models": ["small"], **fields}
    return add_provider(
        team.owner, name="House", kind="openai_chat", api_key="sk-1234567890-abcdefghi", **fields
    )


def test_a_provider_is_edited_in_a_dialog(team: Team, open_as: OpenAs) -> None:
    provider = house(team)
    page = open_as(team.owner, "/settings/models/")
    page.get_by_role("link", name="Edit House").click()
    dialog = page.get_by_role("dialog", name="Edit House")
    expect(dialog.get_by_label("Name")).to_be_focused()
    check_accessible(page)
    dialog.get_by_label("Address").fill("https://elsewhere.example/v1")
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("needs the key again")
    expect(page.get_by_label("Address")).to_have_value("https://elsewhere.example/v1")
    page.get_by_label("New key").fill("sk-0987654321-ihgfedcba")
    page.get_by_label("Name").fill("Elsewhere")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/settings/models/")
    expect(page.get_by_role("heading", name="Elsewhere")).to_be_visible()
    provider.refresh_from_db()
    assert provider.base_url == "https://elsewhere.example/v1"


def test_a_models_price_is_edited_in_a_dialog(team: Team, open_as: OpenAs) -> None:
    house(team)
    page = open_as(team.owner, "/settings/models/")
    page.get_by_role("link", name="Edit small").click()
    dialog = page.get_by_role("dialog", name="Edit small")
    dialog.get_by_label("Input").fill("0.5")
    dialog.get_by_label("Output").fill("2")
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_text("$0.5 in, $2 out")).to_be_visible()


def test_models_are_taken_over_from_what_a_provider_offers(team: Team, open_as: OpenAs) -> None:
    with FakeProvider(lambda request: FakeReply(text="Hello.")) as offering:
        house(team, base_url=offering.base_url("openai"), models=[])
        page = open_as(team.owner, "/settings/models/")
        page.get_by_text("Add models").click()
        page.get_by_role("button", name="List what it offers").click()
        page.get_by_role("checkbox").first.check()
        check_accessible(page)
        page.get_by_role("button", name="Use these").click()
        expect(page.get_by_role("button", name="Test")).to_have_count(1)


def test_who_began_a_conversation_takes_people_out_and_lets_them_in(team: Team, open_as: OpenAs) -> None:
    chat = start_conversation(
        team.member, agent_id=team.agent.pk, kind="group", title="Rota", user_ids=[team.owner.user.pk]
    )
    page = open_as(team.member, f"/chat/{chat.pk}/")
    people = page.get_by_role("dialog", name="People")

    def open_people() -> None:
        page.locator("summary", has_text="More about this conversation").click()
        page.get_by_role("link", name="People").click()
        expect(people).to_be_visible()

    open_people()
    check_accessible(page)
    with new_page(page):
        people.get_by_role("button", name=f"Take out {team.owner.user.name}").click()
    expect(page.locator(".thread-title .sub")).not_to_contain_text(team.owner.user.name)
    open_people()
    people.get_by_label(team.owner.user.name).check()
    with new_page(page):
        people.get_by_role("button", name="Add").click()
    expect(page.locator(".thread-title .sub")).to_contain_text(team.owner.user.name)
    open_people()
    page.once("dialog", lambda question: question.accept())
    people.get_by_role("button", name="Leave").click()
    page.wait_for_url("**/chat/")
    assert [each.person.user for each in chat.participants.all()] == [team.owner.user]


def test_the_list_of_conversations_goes_on(team: Team, open_as: OpenAs) -> None:
    for number in range(104):
        start_conversation(team.member, agent_id=team.agent.pk, kind="dm", title=f"chat {number}")
    page = open_as(team.member, "/chat/")
    expect(page.locator("a.conversation")).to_have_count(100)
    page.get_by_role("button", name="More conversations").click()
    expect(page.locator("a.conversation")).to_have_count(104)
    start_conversation(team.member, agent_id=team.agent.pk, kind="dm", title="the newest")
    expect(page.locator("a.conversation").first).to_contain_text("the newest")
    expect(page.locator("a.conversation")).to_have_count(105)
