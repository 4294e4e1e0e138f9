from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import AuditEvent, Person
from memory import types
from memory.models import Association, Memory, MemoryEdit, MessagePosting, Posting
from memory.services import editing
from memory.services.consolidation import Merge, consolidate
from memory.services.erasure import count_left, erase_person
from memory.services.transcripts import index_conversation
from memory.types import SYSTEM, Provenance
from messaging.models import Message
from messaging.services.conversations import start_conversation
from messaging.services.messages import append_inbound
from realtime.models import Event


def test_nothing_is_left_and_the_rest_stays(known: Any, team: Any, mia: Any, otto: Any) -> None:
    about = known.know("Mia collects stamps", about_id=mia.pk)
    known.know("Mia is looking for a flat", heard_by=types.person(mia.pk))
    known.know(
        "The lift is slow", provenance=Provenance(person_id=mia.pk), related=[(about.pk, "related_to", 0.5)]
    )
    other = known.know("Otto bakes bread", about_id=otto.pk)
    editing.edit_memory(team.moderator, about.pk, content="Mia collects rare stamps")
    room = start_conversation(
        team.member, agent_id=team.agent.pk, kind="group", user_ids=[team.other_member.user.pk]
    )
    append_inbound(room.pk, person=mia, author_name="Mia", text="My secret is marzipan")
    append_inbound(room.pk, person=otto, author_name="Otto", text="Noted")
    index_conversation(room.pk)
    assert MessagePosting.objects.filter(term="marzipan").count() == 2

    result = erase_person(team.organization.pk, mia.pk)

    assert result.is_complete
    assert result.erased["memories"] == 3
    assert [memory.pk for memory in Memory.objects.all()] == [other.pk]
    assert set(Posting.objects.values_list("memory_id", flat=True)) == {other.pk}
    assert not Association.objects.exists()
    assert not MemoryEdit.objects.exists()
    assert not MessagePosting.objects.filter(term="marzipan").exists()
    assert MessagePosting.objects.filter(term="note").exists()
    assert not Message.objects.filter(text__icontains="marzipan").exists()
    assert "marzipan" not in str(list(Event.objects.values_list("payload", flat=True)))
    assert Person.objects.get(pk=mia.pk).display_name == f"Erased person {mia.pk}"


def test_a_merge_that_took_up_their_words_is_taken_back(known: Any, team: Any, mia: Any) -> None:
    kept = known.know("The office opens at nine")
    theirs = known.know("Mia says that doors open at 9", about_id=mia.pk)
    consolidate(
        **known.shelf,
        merges=[Merge(kept.pk, frozenset({theirs.pk}), "Mia says it opens at nine")],
        author=SYSTEM,
    )
    assert erase_person(team.organization.pk, mia.pk).is_complete
    kept.refresh_from_db()
    assert kept.content == "The office opens at nine"
    assert "Mia" not in str(list(MemoryEdit.objects.values_list("before", flat=True)))


def test_a_merge_that_was_edited_since_goes_with_them(known: Any, team: Any, mia: Any) -> None:
    kept = known.know("The office opens at nine")
    theirs = known.know("Mia says that doors open at 9", about_id=mia.pk)
    consolidate(
        **known.shelf, merges=[Merge(kept.pk, frozenset({theirs.pk}), "Mia says: nine")], author=SYSTEM
    )
    editing.edit_memory(team.moderator, kept.pk, content="Mia says: half past nine")
    assert erase_person(team.organization.pk, mia.pk).is_complete
    assert not Memory.objects.exists()


def test_erasing_twice_changes_nothing_and_is_audited_once(known: Any, team: Any, mia: Any) -> None:
    known.know("Mia collects stamps", about_id=mia.pk)
    erase_person(team.organization.pk, mia.pk)
    again = erase_person(team.organization.pk, mia.pk)
    assert not any(again.erased.values())
    assert AuditEvent.objects.filter(action="person.erased").count() == 1


def test_the_command_counts_first_and_erases_only_when_told(known: Any, team: Any, mia: Any) -> None:
    known.know("Mia collects stamps", about_id=mia.pk)
    out = StringIO()
    call_command("forget_person", str(mia.pk), organization="acme", stdout=out)
    assert "memories: 1" in out.getvalue()
    assert count_left(team.organization.pk, mia.pk)["memories"] == 1
    call_command("forget_person", str(mia.pk), "--yes", organization="acme", stdout=out)
    assert "memories: 0 left" in out.getvalue()


def test_the_command_knows_nobody_of_another_organization(mia: Any, rivals: Any) -> None:
    with pytest.raises(CommandError):
        call_command("forget_person", str(mia.pk), "--yes", organization="rivals")
    mia.refresh_from_db()
    assert mia.display_name.startswith("Mia")
