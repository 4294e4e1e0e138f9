from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.cache import SessionStore
from django.http import HttpRequest
from django.test import RequestFactory

from accounts.actor import Actor
from accounts.auth import SESSION_KEY, actor_for_request
from accounts.errors import NotFound
from accounts.models import Membership, Role, User
from accounts.scopes import MINIMUM_ROLES, allowed_scopes
from accounts.services.tokens import create_token
from tests.factories import Team


def _request(
    user: User | None = None, *, path: str = "/", chosen: int | None = None, **headers: str
) -> HttpRequest:
    request = RequestFactory().get(path, headers=headers)
    request.user = user or AnonymousUser()
    request.session = SessionStore()
    if chosen is not None:
        request.session[SESSION_KEY] = chosen
    return request


@pytest.fixture
def in_both(team: Team, rivals: Team) -> User:
    Membership.objects.create(organization=rivals.organization, user=team.member.user, role=Role.ADMIN)
    return team.member.user


def test_nobody_is_nobody(db: None) -> None:
    assert actor_for_request(_request()) is None


def test_a_session_acts_where_the_user_was_first(team: Team, in_both: User) -> None:
    assert actor_for_request(_request(in_both)) == team.member


@pytest.mark.parametrize(
    ("path", "headers"),
    [("/?organization=rivals", {}), ("/", {"X-Organization": "rivals"})],
    ids=["query", "header"],
)
def test_a_session_acts_in_the_named_organization(
    rivals: Team, in_both: User, path: str, headers: dict[str, str]
) -> None:
    actor = actor_for_request(_request(in_both, path=path, chosen=1, **headers))
    assert actor == Actor(user=in_both, organization=rivals.organization, role=Role.ADMIN)


def test_a_session_remembers_its_choice_while_it_lasts(team: Team, rivals: Team, in_both: User) -> None:
    request = _request(in_both, chosen=rivals.organization.pk)
    found = actor_for_request(request)
    assert found is not None
    assert found.organization == rivals.organization
    Membership.objects.filter(user=in_both, organization=rivals.organization).delete()
    assert actor_for_request(request) == team.member


@pytest.mark.parametrize("slug", ["rivals", "nowhere"])
def test_another_organization_is_not_found_whether_it_exists_or_not(
    team: Team, rivals: Team, slug: str
) -> None:
    with pytest.raises(NotFound, match="no such organization"):
        actor_for_request(_request(team.owner.user, **{"X-Organization": slug}))


def test_a_user_without_an_organization_or_switched_off_is_refused(team: Team) -> None:
    with pytest.raises(NotFound):
        actor_for_request(_request(User.objects.create_user("alone@site.test")))
    team.member.user.is_active = False
    assert actor_for_request(_request(team.member.user)) is None


def test_a_token_decides_over_the_session_and_stays_in_its_organization(team: Team, rivals: Team) -> None:
    _, raw = create_token(team.member, name="laptop", scopes=["runs:read"])
    actor = actor_for_request(_request(rivals.owner.user, Authorization=f"Bearer {raw}"))
    assert actor is not None
    assert (actor.user, actor.scopes) == (team.member.user, {"runs:read"})
    with pytest.raises(NotFound):
        actor_for_request(_request(Authorization=f"Bearer {raw}", **{"X-Organization": "rivals"}))


def test_a_bad_token_does_not_fall_back_to_the_session(team: Team) -> None:
    assert actor_for_request(_request(team.owner.user, Authorization="Bearer sb_wrong")) is None


@pytest.mark.parametrize("role", list(Role))
def test_a_scope_needs_its_role_even_without_a_token(team: Team, role: Role) -> None:
    actor = Actor(user=team.member.user, organization=team.organization, role=role)
    for scope in allowed_scopes(role):
        actor.check_scope(scope)
    for scope in MINIMUM_ROLES.keys() - allowed_scopes(role):
        with pytest.raises(Exception, match="needs the role"):
            actor.check_scope(scope)
