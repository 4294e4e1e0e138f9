from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from agents.links.services import create_link
from agents.models import Checkpoint, Run, RunKind, RunState
from llm.services.setup import add_provider
from messaging.models import Conversation, Message
from messaging.services.conversations import start_conversation
from messaging.services.reactions import add_reaction
from realtime.models import NoticeKind
from realtime.notices.services import notify
from tests.browser.conftest import OpenAs, check_accessible
from tests.factories import Team

PAGES = [
    "/home/",
    "/chat/",
    "/chat/{chat}/",
    "/chat/{chat}/?drawer=/runs/{run}/",
    "/chat/new/",
    "/chat/{chat}/rename/",
    "/chat/{chat}/people/",
    "/chat/{chat}/model/",
]
PAGES += ["/runs/", "/runs/{run}/", "/agents/", "/agents/spacebot/", "/agents/new/", "/settings/models/"]
PAGES += ["/settings/models/providers/{provider}/", "/settings/models/{model}/", "/runs/?kind=compaction"]
PAGES += [
    "/notices/",
    "/notices/?all",
    "/agents/chart/",
    "/settings/secrets/",
    "/settings/members/",
    "/settings/tokens/",
    "/accounts/password/change/",
    "/nowhere/",
]


@pytest.fixture
def filled(team: Team) -> dict[str, int]:
    """A conversation with something of everything in it."""
    chat = start_conversation(
        team.owner, agent_id=team.agent.pk, kind="group", title="Plan the spring release"
    )
    texts = [
        "What is left?",
        "Three things:\n\n1. notes\n2. `links`\n\n| a | b |\n| - | - |\n| 1 | 2 |\n\n```\ncode\n```",
    ]
    Message.objects.bulk_create(
        Message(
            organization=team.organization,
            conversation=chat,
            seq=seq,
            direction="out" if seq % 2 == 0 else "in",
            author_name="Spacebot",
            text=text,
            handling="not_needed",
        )
        for seq, text in enumerate(texts, start=1)
    )
    Conversation.objects.filter(pk=chat.pk).update(last_seq=len(texts))
    notify(
        team.organization.pk, [team.owner.user.pk], kind=NoticeKind.FAILURE, key="x", title="A worker failed",
        text="The disk is full.",
    )  # fmt: skip
    create_link(team.owner, first_user_id=team.member.user.pk, second_agent_id=team.agent.pk)
    now = timezone.now()
    fields = {"organization": team.organization, "agent": team.agent, "conversation": chat, "due_at": now}
    Run.objects.create(
        kind=RunKind.WORKER, state=RunState.RUNNING, title="Count", status_text="212 of 480", **fields
    )
    failed = Run.objects.create(
        kind=RunKind.BRANCH, state=RunState.FAILED, finished_at=now, failure={"message": "No file."}, **fields
    )
    Run.objects.create(
        kind=RunKind.COMPACTION, state=RunState.SUCCEEDED, title="Messages 1 to 1", finished_at=now, **fields
    )
    first, second = chat.messages.order_by("seq")
    Message.objects.filter(pk=second.pk).update(reply_to=first)
    add_reaction(team.owner, second.pk, emoji="👍")
    Checkpoint.objects.create(
        organization=team.organization,
        conversation=chat,
        from_seq=1,
        to_seq=1,
        title="Asked",
        summary="What is left.",
    )
    provider = add_provider(
        team.owner, name="House", kind="openai_chat", api_key="sk-1234567890-abcdefghi", models=["small"]
    )
    return {"chat": chat.pk, "run": failed.pk, "provider": provider.pk, "model": provider.entries.get().pk}


def check_fits(page: Any) -> None:
    """Fail when the page is wider than the screen."""
    wide = page.evaluate(
        "() => [...document.querySelectorAll('body *')].filter(each => each.getBoundingClientRect().right > innerWidth + 1"
        " && !each.closest('.rail, .board, .table-wrap, pre, table, .block, .sr-only, .tabs, .skip, .message-tools'))"
        ".map(each => each.outerHTML.slice(0, 120))"
    )
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth"), wide[:3]
    assert wide == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_accessible(scheme: str, team: Team, filled: dict[str, int], open_as: OpenAs) -> None:
    page = open_as(team.owner, scheme=scheme)
    for path in PAGES:
        page.goto(path.format(**filled))
        if "drawer" in path:
            expect(page.locator("#drawer .run")).to_be_visible()
        check_accessible(page)


def test_every_page_fits_a_narrow_phone(team: Team, filled: dict[str, int], open_as: OpenAs) -> None:
    page = open_as(team.owner, width=360, height=740)
    for path in PAGES:
        page.goto(path.format(**filled))
        if "drawer" in path:
            expect(page.locator("#drawer .run")).to_be_visible()
        check_fits(page)
        check_accessible(page)


def test_the_sign_in_pages_are_accessible(chromium: Any, web: Any, team: Team) -> None:
    context = chromium.new_context(base_url=web.url)
    page = context.new_page()
    for path in ("/accounts/login/", "/accounts/password/reset/", "/sign-in/unknown/"):
        page.goto(path)
        check_accessible(page)
    context.close()


def test_signing_in_with_a_password(chromium: Any, web: Any, team: Team) -> None:
    team.member.user.set_password("correct horse battery")
    team.member.user.save()
    context = chromium.new_context(base_url=web.url)
    page = context.new_page()
    page.goto("/chat/")
    page.get_by_label("E-mail").fill(team.member.user.email)
    page.get_by_label("Password").fill("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_label("Password").fill("correct horse battery")
    page.keyboard.press("Enter")
    page.wait_for_url("**/chat/")
    context.close()


def test_a_conversation_by_keyboard_alone(team: Team, open_as: OpenAs, worker: Any) -> None:
    page = open_as(team.member)
    page.keyboard.press("c")
    expect(page.get_by_label("Agent")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.type("By keyboard")
    page.keyboard.press("Enter")
    page.wait_for_url("**/chat/*/")
    expect(page.get_by_label("Message to")).to_be_focused()
    page.keyboard.type("hello")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("there")
    page.keyboard.press("Enter")
    expect(page.locator(".message")).to_have_count(2)
    page.keyboard.press("Escape")
    page.keyboard.type("gh")
    page.wait_for_url("**/home/")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    page.keyboard.type("keyboard")
    expect(page.get_by_role("option").first).to_contain_text("By keyboard")
    page.keyboard.press("Enter")
    page.wait_for_url("**/chat/*/")
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    expect(page.get_by_label("Search conversations")).to_be_focused()


def test_colours_are_chosen_per_browser(team: Team, open_as: OpenAs) -> None:
    page = open_as(team.member)
    page.get_by_text("My account").locator("xpath=..").click()
    page.get_by_role("button", name="Dark").click()
    page.reload()
    assert page.evaluate("() => getComputedStyle(document.documentElement).colorScheme") == "dark"


def test_the_rail_opens_and_closes_on_a_phone(team: Team, open_as: OpenAs) -> None:
    page = open_as(team.member, width=390, height=844)
    expect(page.get_by_role("navigation", name="Main")).to_be_hidden()
    page.get_by_role("button", name="Menu").click()
    expect(page.get_by_role("navigation", name="Main")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("navigation", name="Main")).to_be_hidden()
