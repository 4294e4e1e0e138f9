from __future__ import annotations

import pytest
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts import hooks, queries
from accounts.errors import Conflict, Forbidden, InvalidInput, NotFound
from accounts.models import ApiToken, AuditEvent, Membership, Person, Role, User
from accounts.services.members import add_member, change_role, remove_member
from accounts.services.organizations import create_organization, update_organization
from accounts.services.people import person_for_user
from accounts.services.tokens import create_token
from tests.factories import Team


def test_a_new_organization_has_an_owner_whom_its_agents_know(db: None) -> None:
    user = User.objects.create_user("ada@new.test", name="Ada")
    organization = create_organization("New Team", owner=user)
    assert organization.slug == "new-team"
    assert queries.get_actor(user).role == Role.OWNER
    assert person_for_user(organization, user).display_name == "Ada"
    assert user.is_staff
    assert AuditEvent.objects.get(organization=organization).action == "organization.created"


def test_a_taken_slug_is_refused_and_leaves_nothing(team: Team) -> None:
    with pytest.raises(Conflict):
        create_organization("Acme again", slug="acme", owner=team.member.user)
    assert Membership.objects.filter(user=team.member.user).count() == 1


def test_an_administrator_renames_the_organization_and_a_member_cannot(team: Team, rivals: Team) -> None:
    update_organization(team.admin, name="Acme Ltd", time_zone="Europe/Berlin")
    team.organization.refresh_from_db()
    assert (team.organization.name, team.organization.time_zone) == ("Acme Ltd", "Europe/Berlin")
    with pytest.raises(Forbidden):
        update_organization(team.member, name="Mine")
    with pytest.raises(InvalidInput):
        update_organization(team.admin, time_zone="Mars/Olympus")
    rivals.organization.refresh_from_db()
    assert rivals.organization.name == "Rivals"


def test_adding_a_member_makes_the_user_and_the_person(team: Team) -> None:
    membership = add_member(team.admin, email=" New@Acme.Test ", role="member", name="Nia")
    assert membership.user.email == "new@acme.test"
    assert not membership.user.has_usable_password()
    assert Person.objects.get(user=membership.user).organization == team.organization
    with pytest.raises(Conflict):
        add_member(team.admin, email="new@acme.test")


def test_adding_a_known_user_keeps_their_login(team: Team, rivals: Team) -> None:
    membership = add_member(team.owner, email=rivals.member.user.email, role="admin")
    assert membership.user == rivals.member.user
    assert {row.organization.slug for row in queries.list_memberships(membership.user)} == {"acme", "rivals"}
    assert membership.user.is_staff


@pytest.mark.parametrize(("email", "role"), [("nobody", "member"), ("a@b.test", "king"), ("", "member")])
def test_bad_members_are_refused(team: Team, email: str, role: str) -> None:
    with pytest.raises(InvalidInput):
        add_member(team.owner, email=email, role=role)


def test_nobody_grants_above_their_own_level(team: Team) -> None:
    with pytest.raises(Forbidden):
        add_member(team.moderator, email="x@acme.test")
    with pytest.raises(Forbidden):
        add_member(team.admin, email="x@acme.test", role="owner")
    with pytest.raises(Forbidden):
        change_role(team.admin, team.member.user.pk, "owner")
    with pytest.raises(Forbidden):
        change_role(team.admin, team.owner.user.pk, "member")
    with pytest.raises(Forbidden):
        remove_member(team.admin, team.owner.user.pk)


def test_a_role_change_moves_access_to_the_admin(team: Team) -> None:
    user = team.member.user
    change_role(team.owner, user.pk, "admin")
    user.refresh_from_db()
    assert user.is_staff
    change_role(team.owner, user.pk, "member")
    change_role(team.owner, user.pk, "member")
    user.refresh_from_db()
    assert not user.is_staff
    assert AuditEvent.objects.filter(action="member.role_changed").count() == 2


def test_the_last_owner_stays(team: Team) -> None:
    with pytest.raises(Conflict):
        change_role(team.owner, team.owner.user.pk, "admin")
    with pytest.raises(Conflict):
        remove_member(team.owner, team.owner.user.pk)
    change_role(team.owner, team.admin.user.pk, "owner")
    remove_member(team.owner, team.owner.user.pk)
    assert Membership.objects.get(organization=team.organization, role=Role.OWNER).user == team.admin.user


def test_an_inactive_owner_does_not_count(team: Team) -> None:
    change_role(team.owner, team.admin.user.pk, "owner")
    User.objects.filter(pk=team.admin.user.pk).update(is_active=False)
    with pytest.raises(Conflict):
        remove_member(team.owner, team.owner.user.pk)


def test_removal_revokes_tokens_and_tells_the_hooks_after_commit(
    team: Team,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    told: list[tuple[int, int]] = []
    monkeypatch.setattr(hooks, "on_membership_removed", [lambda *ids: told.append(ids)])
    token, _ = create_token(team.member, name="laptop", scopes=["runs:read"])
    with django_capture_on_commit_callbacks(execute=True):
        remove_member(team.admin, team.member.user.pk)
        assert told == []
    assert told == [(team.organization.pk, team.member.user.pk)]
    assert ApiToken.objects.get(pk=token.pk).revoked_at is not None
    with pytest.raises(NotFound):
        queries.get_actor(team.member.user, "acme")
    with pytest.raises(NotFound):
        remove_member(team.admin, team.member.user.pk)


def test_a_member_may_leave_and_may_not_remove_others(team: Team) -> None:
    with pytest.raises(Forbidden):
        remove_member(team.member, team.other_member.user.pk)
    remove_member(team.member, team.member.user.pk)
    assert not Membership.objects.filter(user=team.member.user).exists()


def test_members_of_another_organization_cannot_be_reached(team: Team, rivals: Team) -> None:
    stranger = rivals.member.user.pk
    for act in (
        lambda: change_role(team.owner, stranger, "admin"),
        lambda: remove_member(team.owner, stranger),
        lambda: queries.get_member(team.owner, stranger),
        lambda: queries.get_actor(team.owner.user, "rivals"),
    ):
        with pytest.raises(NotFound):
            act()
    assert rivals.member.user not in {row.user for row in queries.list_members(team.owner)}
    assert set(queries.list_people(team.member)).isdisjoint(
        Person.objects.filter(organization=rivals.organization)
    )
