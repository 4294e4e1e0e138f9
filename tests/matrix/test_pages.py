"""Every page and everything its forms do × everyone."""

from __future__ import annotations

import re

import pytest

from tests.matrix.table import ACTS, PAGES
from tests.matrix.table.pages import OUTSIDE
from tests.matrix.table.rules import Act, act_status, page_status
from tests.matrix.world import NOBODY, PEOPLE, World, undone

pytestmark = pytest.mark.django_db


def address(world: World, pattern: str) -> str:
    return "/" + world.path(re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", pattern))


@pytest.mark.parametrize("pattern", PAGES)
def test_a_page_opens_for_whom_it_should(world: World, pattern: str) -> None:
    got = {}
    for who in PEOPLE:
        with undone():
            got[who] = world.visitor(who).get(address(world, pattern)).status_code
    assert got == {who: page_status(PAGES[pattern], who) for who in PEOPLE}


@pytest.mark.parametrize("act", ACTS, ids=lambda act: f"{act.page}{act.name}")
def test_a_form_acts_for_whom_it_should(world: World, act: Act) -> None:
    got = {}
    for who in PEOPLE:
        with undone():
            response = world.visitor(who).post(address(world, act.page), act.form(world))
            happened = act.happened(world) and response.status_code == act.ok and who != NOBODY
            got[who] = response.status_code, happened
    assert got == {who: act_status(act, PAGES[act.page], who) for who in PEOPLE}


@pytest.mark.parametrize("pattern", PAGES)
def test_a_page_without_a_form_takes_none(world: World, pattern: str) -> None:
    """What only shows refuses POST, and no page knows another method."""
    methods = ["put", "delete", "patch", *([] if PAGES[pattern].acts else ["post"])]
    for method in methods:
        response = getattr(world.visitor("member"), method)(address(world, pattern))
        assert response.status_code == 405, method


@pytest.mark.parametrize("pattern", OUTSIDE)
def test_what_needs_no_organization_answers_as_the_table_says(world: World, pattern: str) -> None:
    got = []
    for who in (NOBODY, "member"):
        for method in ("get", "post"):
            with undone():
                got.append(getattr(world.visitor(who), method)(address(world, pattern)).status_code)
    assert (tuple(got[:2]), tuple(got[2:])) == OUTSIDE[pattern]


def test_nobody_gives_themselves_an_address(world: World) -> None:
    """Members are added by their address: it must not be had by claiming it."""
    member = world.visitor("member")
    for action in ("action_add", "action_primary"):
        assert member.post("/accounts/email/", {action: "", "email": "new@rivals.test"}).status_code == 404
    world.acme.member.user.refresh_from_db()
    assert world.acme.member.user.email == "mia@acme.test"
