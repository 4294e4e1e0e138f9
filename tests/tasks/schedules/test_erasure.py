from __future__ import annotations

from datetime import timedelta

from accounts.models import Person
from memory.services.erasure import erase_person
from messaging.models import Conversation
from tasks.models import Execution, Firing, ScheduleState
from tasks.services.schedules import clock
from tests.factories import Team
from tests.tasks.timetable import NOW, finish, make


def test_erasing_the_owner_ends_their_schedules_without_words_and_keeps_the_lines(
    team: Team, chat: Conversation
) -> None:
    schedule = make(team, chat)
    clock.tick(now=NOW + timedelta(minutes=1))
    finish(Firing.objects.get(), Execution.SUCCEEDED, text="a private answer")
    person = Person.objects.get(organization=team.organization, user=team.member.user)
    for _ in range(2):
        assert erase_person(team.organization.pk, person.pk).is_complete
    schedule.refresh_from_db()
    line = Firing.objects.get()
    assert (schedule.prompt, schedule.state, schedule.next_due_at) == (
        "[erased]",
        ScheduleState.FINISHED,
        None,
    )
    assert (line.execution, line.outcome) == ("succeeded", "")
    assert clock.tick(now=NOW + timedelta(days=1)) == 0
