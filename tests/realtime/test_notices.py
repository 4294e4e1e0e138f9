from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail as outbox
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone

from accounts.errors import InvalidInput, NotFound
from accounts.models import Membership, Role
from messaging.models import Participant
from messaging.services.conversations import start_conversation
from realtime.models import Event, MailState, Notice, NoticeKind
from realtime.notices import mail, queries, services
from spacebot_site.service_urls import email_settings

pytestmark = pytest.mark.django_db


def tell(team: Any, *actors: Any, key: str = "run:1", **more: Any) -> list[int]:
    users = [actor.user.pk for actor in actors]
    return services.notify(
        team.organization.pk, users, kind=NoticeKind.FAILURE, key=key, title="It failed", **more
    )


def unread(actor: Any) -> list[str]:
    return [notice.title for notice in queries.list_notices(actor, unread=True)[0]]


def test_a_notice_reaches_its_user_alone_and_tells_their_browsers(team: Any) -> None:
    assert tell(team, team.member) == [team.member.user.pk]
    assert unread(team.member) == ["It failed"]
    assert unread(team.other_member) == []
    assert Event.objects.get(kind="notice.changed").user_id == team.member.user.pk


def test_the_same_again_is_counted_and_not_repeated(team: Any) -> None:
    tell(team, team.member)
    tell(team, team.member)
    assert Notice.objects.get().count == 2
    services.mark_all_read(team.member)
    tell(team, team.member)
    notice = Notice.objects.get()
    assert (notice.count, notice.read_at) == (1, None)


def test_who_is_no_member_hears_nothing(team: Any, rivals: Any) -> None:
    Membership.objects.filter(user=team.other_member.user).delete()
    team.moderator.user.is_active = False
    team.moderator.user.save()
    assert tell(team, team.other_member, team.moderator, rivals.member) == []
    assert not Notice.objects.exists()


def test_those_of_a_level_are_the_ones_to_tell(team: Any) -> None:
    found = services.members_from(team.organization.pk, Role.ADMIN)
    assert set(found) == {team.admin.user.pk, team.owner.user.pk}


def test_nobody_reads_or_marks_anothers(team: Any, rivals: Any) -> None:
    tell(team, team.member)
    pk = Notice.objects.get().pk
    for actor in (team.other_member, team.owner, rivals.owner):
        with pytest.raises(NotFound):
            services.mark_read(actor, pk)
    assert Notice.objects.get().read_at is None
    assert services.mark_read(team.member, pk).read_at is not None
    assert services.mark_read(team.member, pk).read_at is not None
    assert queries.count_unread(team.member) == 0


def test_who_left_the_conversation_does_not_read_what_was_said_there(team: Any) -> None:
    room = start_conversation(team.member, agent_id=team.agent.pk, kind="group", title="Plans")
    tell(team, team.member, conversation_id=room.pk, text="the plan")
    assert unread(team.member) == ["It failed"]
    Participant.objects.filter(conversation=room, person__user=team.member.user).delete()
    assert unread(team.member) == []
    with pytest.raises(NotFound):
        queries.get_notice(team.member, Notice.objects.get().pk)


def test_pages_of_notices_follow_each_other_without_gaps(team: Any) -> None:
    for each in range(7):
        tell(team, team.member, key=f"run:{each}")
    seen, before = [], None
    while True:
        rows, before = queries.list_notices(team.member, before=before, limit=3)
        seen += [row.key for row in rows]
        if before is None:
            break
    assert sorted(seen) == [f"run:{each}" for each in range(7)]


def test_what_is_settled_needs_nobody_any_more(team: Any) -> None:
    tell(team, team.member, team.admin)
    services.settle(team.organization.pk, "run:1")
    assert unread(team.member) == unread(team.admin) == []


def test_read_ones_are_deleted_after_a_while(team: Any) -> None:
    tell(team, team.member, key="old")
    tell(team, team.member, key="unread")
    Notice.objects.filter(key="old").update(read_at=timezone.now() - timedelta(days=31))
    assert services.prune_notices(older_than_days=30) == 1
    assert Notice.objects.get().key == "unread"


@pytest.fixture
def mailing(settings: Any) -> None:
    settings.SPACEBOT_EMAIL_URL = "smtp://bot@mail.test"


def make_due() -> None:
    Notice.objects.update(mail_at=timezone.now() - timedelta(seconds=1))


def test_chosen_kinds_are_mailed_once_when_they_stay_unread(team: Any, mailing: None) -> None:
    services.set_mailed_kinds(team.member, ["failure"])
    tell(team, team.member, team.other_member, text="The disk is full.")
    assert mail.mail_due() == 0, "who sits in front of the page reads it there"
    make_due()
    assert mail.mail_due() == 1
    make_due()
    assert mail.mail_due() == 0
    (sent,) = outbox.outbox
    assert sent.to == [team.member.user.email]
    assert sent.subject == "[Acme] It failed"
    assert f"/notices/{Notice.objects.get(user=team.member.user).pk}/" in str(sent.body)


def test_what_was_read_or_may_no_longer_be_read_is_not_mailed(team: Any, mailing: None) -> None:
    for actor in (team.member, team.other_member):
        services.set_mailed_kinds(actor, ["failure"])
    tell(team, team.member, team.other_member)
    services.mark_all_read(team.member)
    Membership.objects.filter(user=team.other_member.user).delete()
    make_due()
    assert mail.mail_due() == 0
    assert outbox.outbox == []


def test_a_mail_whose_sender_died_is_given_up_and_not_sent_twice(team: Any, mailing: None) -> None:
    services.set_mailed_kinds(team.member, ["failure"])
    tell(team, team.member)
    Notice.objects.update(mail=MailState.SENDING, mail_at=timezone.now() - timedelta(hours=1))
    assert mail.mail_due() == 0
    assert Notice.objects.get().mail == MailState.FAILED
    assert outbox.outbox == []


def test_nothing_is_mailed_where_no_server_is_set(team: Any, settings: Any) -> None:
    services.set_mailed_kinds(team.member, ["failure"])
    tell(team, team.member)
    assert Notice.objects.get().mail == MailState.NONE
    assert mail.mail_due() == 0


def test_an_unknown_kind_is_refused(team: Any) -> None:
    with pytest.raises(InvalidInput):
        services.set_mailed_kinds(team.member, ["gossip"])


def test_the_mail_server_is_read_from_one_address() -> None:
    found = email_settings("smtp://bot%40x.test:p%40ss@mail.test:2525?from=bot@x.test")
    assert found["EMAIL_HOST"] == "mail.test"
    assert (found["EMAIL_PORT"], found["EMAIL_HOST_PASSWORD"]) == (2525, "p@ss")
    assert (found["EMAIL_USE_TLS"], found["DEFAULT_FROM_EMAIL"]) == (True, "bot@x.test")
    assert email_settings("smtps://mail.test")["EMAIL_PORT"] == 465
    assert email_settings("smtp://mail.test?starttls=off")["EMAIL_USE_TLS"] is False
    with pytest.raises(ImproperlyConfigured, match="SPACEBOT_EMAIL_URL"):
        email_settings("mail.test:25")
