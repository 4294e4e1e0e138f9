from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts import queries
from accounts.actor import Actor
from accounts.errors import Forbidden, InvalidInput, NotFound
from accounts.models import ApiToken, AuditEvent, Membership, Role, User
from accounts.services.tokens import authenticate_token, create_token, revoke_token
from tests.factories import Team


def _as_token(actor: Actor, *scopes: str, expires_at: object = None) -> Actor:
    _, raw = create_token(actor, name="parent", scopes=scopes, expires_at=expires_at)  # type: ignore[arg-type]
    found = authenticate_token(raw)
    assert found is not None
    return found


def test_a_token_acts_as_its_user_within_its_scopes(team: Team) -> None:
    token, raw = create_token(team.member, name="laptop", scopes=["conversations:read"])
    actor = authenticate_token(raw)
    assert actor == Actor(
        user=team.member.user,
        organization=team.organization,
        role=Role.MEMBER,
        scopes=frozenset({"conversations:read"}),
        token_id=token.pk,
    )
    with pytest.raises(Forbidden, match="conversations:write"):
        actor.check_scope("conversations:write")


def test_the_token_itself_is_not_stored(team: Team) -> None:
    token, raw = create_token(team.member, name="laptop", scopes=["runs:read"])
    row = ApiToken.objects.values().get(pk=token.pk)
    assert raw.startswith("sb_")
    assert all(raw not in str(value) for value in row.values())
    assert AuditEvent.objects.filter(detail__icontains=raw).count() == 0


def test_authenticating_is_one_query_and_notes_the_use_once_a_minute(
    team: Team, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    token, raw = create_token(team.member, name="laptop", scopes=["runs:read"])
    with django_assert_num_queries(2):
        authenticate_token(raw)
    with django_assert_num_queries(1):
        authenticate_token(raw)
    ApiToken.objects.filter(pk=token.pk).update(last_used_at=timezone.now() - timedelta(seconds=61))
    with django_assert_num_queries(2):
        authenticate_token(raw)


def test_a_revoked_token_is_refused(team: Team) -> None:
    token, raw = create_token(team.member, name="laptop", scopes=["runs:read"])
    revoke_token(team.member, token.pk)
    assert authenticate_token(raw) is None


def test_revoking_twice_changes_and_audits_nothing_more(team: Team) -> None:
    token, _ = create_token(team.member, name="laptop", scopes=["runs:read"])
    first = revoke_token(team.member, token.pk).revoked_at
    assert revoke_token(team.member, token.pk).revoked_at == first
    assert AuditEvent.objects.filter(action="token.revoked").count() == 1


def test_an_expired_token_is_refused(team: Team) -> None:
    token, raw = create_token(
        team.member, name="laptop", scopes=["runs:read"], expires_at=timezone.now() + timedelta(hours=1)
    )
    assert authenticate_token(raw) is not None
    ApiToken.objects.filter(pk=token.pk).update(expires_at=timezone.now())
    assert authenticate_token(raw) is None


def test_a_token_dies_with_the_membership_and_with_the_user(team: Team) -> None:
    _, raw = create_token(team.member, name="laptop", scopes=["runs:read"])
    User.objects.filter(pk=team.member.user.pk).update(is_active=False)
    assert authenticate_token(raw) is None
    User.objects.filter(pk=team.member.user.pk).update(is_active=True)
    assert authenticate_token(raw) is not None
    Membership.objects.filter(user=team.member.user).delete()
    assert authenticate_token(raw) is None


def test_a_token_loses_the_scopes_that_a_lowered_role_no_longer_reaches(team: Team) -> None:
    _, raw = create_token(team.admin, name="ops", scopes=["agents:write", "runs:read"])
    Membership.objects.filter(user=team.admin.user).update(role=Role.MEMBER)
    actor = authenticate_token(raw)
    assert actor is not None
    assert actor.scopes == {"runs:read"}


@pytest.mark.parametrize("raw", ["", "sb_", "sb_unknown", "other_token", "sb_" + "x" * 200, "sb_\ud800"])
def test_nonsense_is_refused(db: None, raw: str) -> None:
    assert authenticate_token(raw) is None


def test_a_member_cannot_make_a_token_above_their_role(team: Team) -> None:
    with pytest.raises(Forbidden):
        create_token(team.member, name="x", scopes=["secrets:write"])


def test_a_token_cannot_make_a_stronger_or_longer_lived_one(team: Team) -> None:
    soon = timezone.now() + timedelta(hours=1)
    parent = _as_token(team.owner, "tokens:write", "runs:read", expires_at=soon)
    with pytest.raises(Forbidden, match="agents:write"):
        create_token(parent, name="child", scopes=["agents:write"])
    with pytest.raises(Forbidden, match="longer"):
        create_token(parent, name="child", scopes=["runs:read"])
    create_token(parent, name="child", scopes=["runs:read"], expires_at=soon)


@pytest.mark.parametrize(
    ("name", "scopes", "field"),
    [
        ("", ["runs:read"], "name"),
        ("a\x00", ["runs:read"], "name"),
        ("a", [], "scopes"),
        ("a", ["all"], "scopes"),
    ],
)
def test_bad_input_names_its_field(team: Team, name: str, scopes: list[str], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        create_token(team.member, name=name, scopes=scopes)
    assert caught.value.field == field


def test_nobody_revokes_a_token_of_another_organization(team: Team, rivals: Team) -> None:
    token, raw = create_token(rivals.member, name="laptop", scopes=["runs:read"])
    with pytest.raises(NotFound):
        revoke_token(team.owner, token.pk)
    assert authenticate_token(raw) is not None


def test_a_member_sees_and_revokes_only_their_own_tokens(team: Team) -> None:
    token, _ = create_token(team.other_member, name="laptop", scopes=["runs:read"])
    assert list(queries.list_tokens(team.member)) == []
    with pytest.raises(NotFound):
        revoke_token(team.member, token.pk)
    assert list(queries.list_tokens(team.admin)) == [token]
    revoke_token(team.admin, token.pk)
