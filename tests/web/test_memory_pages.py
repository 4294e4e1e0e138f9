"""The memory pages: what one may hear, changed line by line, decided in pairs, told with its reasons."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.models import Person
from memory import types
from memory.models import InboxItem, Memory, MemoryEdit
from memory.services.saving import save_memory
from messaging.services.conversations import start_conversation
from tests.agents.working import happen
from tests.factories import Team
from tests.web.conftest import SignIn


@pytest.fixture(autouse=True)
def _hashing(settings: Any) -> None:
    settings.SPACEBOT_EMBEDDER = "hashing"


def own(actor: Any) -> types.HeardBy:
    return types.person(Person.objects.get(organization=actor.organization, user=actor.user).pk)


def know(team: Team, content: str, *, heard_by: types.HeardBy | None = None, **more: Any) -> Memory:
    """Save what the member alone may hear, unless another audience is named."""
    saved = save_memory(
        organization_id=team.organization.pk, agent_id=team.agent.pk, type=more.pop("type", "fact"), content=content,
        heard_by=heard_by or own(team.member), **more,
    )  # fmt: skip
    assert saved.memory is not None
    return saved.memory


def read(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200, path
    return response.content.decode()


def test_the_table_shows_what_one_may_hear_in_words(team: Team, rivals: Team, sign_in: SignIn) -> None:
    know(team, "Mia likes green tea.")
    know(team, "The office closes at six.", heard_by=types.ORGANIZATION)
    know(rivals, "Somewhere else entirely.", heard_by=types.ORGANIZATION)
    mine, theirs = read(sign_in(team.member), "/memory/"), read(sign_in(team.owner), "/memory/")
    for text in ("Mia likes green tea.", "Only you", "The office closes at six.", "Everyone in Acme"):
        assert text in mine
    assert "Mia likes green tea." not in theirs
    assert "The office closes at six." in theirs
    assert "Somewhere else" not in mine + theirs


def test_an_empty_table_says_what_it_is_for(team: Team, sign_in: SignIn) -> None:
    client = sign_in(team.member)
    assert "Nothing is known yet" in read(client, "/memory/")
    assert "Nothing you may hear matches" in read(client, "/memory/?q=tea")


def test_the_table_searches_and_filters(team: Team, sign_in: SignIn) -> None:
    know(team, "Mia likes green tea.", type="preference", pinned=True)
    know(team, "The release is on Thursday.", type="decision")
    client = sign_in(team.member)
    for query in ("q=tea", "type=preference", "pinned=on"):
        page = read(client, f"/memory/?{query}")
        assert "green tea" in page, query
        assert "Thursday" not in page, query
    for query in ("type=nonsense", "audience=nonsense", "after=x", f"agent={team.agent.pk}", "state=all"):
        assert "Thursday" in read(client, f"/memory/?{query}"), query


def test_older_memories_are_on_the_next_page(
    team: Team, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spacebot_site.web.memory_table.PAGE", 1)
    old = know(team, "The first one of all.")
    new = know(team, "Something quite different, later.")
    page = read(sign_in(team.member), "/memory/")
    assert (new.content in page, old.content in page) == (True, False)
    assert f"?after={new.pk}" in page
    assert old.content in read(sign_in(team.member), f"/memory/?after={new.pk}")


def test_a_line_is_edited_in_place_and_keeps_its_old_text(team: Team, sign_in: SignIn) -> None:
    memory, client = know(team, "Mia likes green tea."), sign_in(team.member)
    path = f"/memory/{memory.pk}/"
    assert "<textarea" in read(client, f"{path}?part=edit")
    form = {
        "act": "edit",
        "part": "row",
        "content": "Mia likes black tea.",
        "type": "preference",
        "importance": "80",
    }
    line = client.post(path, form, headers={"HX-Request": "true"}).content.decode()
    assert "Mia likes black tea." in line
    assert "80 %" in line
    assert "<html" not in line
    assert "Mia likes green tea." in read(client, path)


@pytest.mark.parametrize(
    "bad", [{"content": " "}, {"importance": "much"}, {"importance": "200"}, {"type": "human"}]
)
def test_an_edit_that_is_refused_keeps_the_form_open(
    team: Team, sign_in: SignIn, bad: dict[str, str]
) -> None:
    memory = know(team, "Mia likes green tea.")
    form = {"act": "edit", "part": "row", "content": memory.content, "type": "fact", **bad}
    line = (
        sign_in(team.member)
        .post(f"/memory/{memory.pk}/", form, headers={"HX-Request": "true"})
        .content.decode()
    )
    assert 'role="alert"' in line
    assert "<textarea" in line
    assert not MemoryEdit.objects.exists()


def test_pinning_forgetting_and_restoring_work_without_scripts(team: Team, sign_in: SignIn) -> None:
    memory, client = know(team, "Mia likes green tea."), sign_in(team.member)
    path = f"/memory/{memory.pk}/"
    for act, pinned, forgotten in (
        ("pin", True, False), ("unpin", False, False), ("forget", False, True), ("forget", False, True),
        ("restore", False, False),
    ):  # fmt: skip
        assert client.post(path, {"act": act}).status_code == 302
        memory.refresh_from_db()
        assert (memory.pinned, memory.forgotten_at is not None) == (pinned, forgotten), act
    assert client.post(path, {"act": "nonsense"}).status_code == 302


def test_what_everyone_knows_offers_changes_to_moderators_alone(team: Team, sign_in: SignIn) -> None:
    memory = know(team, "The office closes at six.", heard_by=types.ORGANIZATION)
    path = f"/memory/{memory.pk}/"
    member, moderator = sign_in(team.member), sign_in(team.moderator)
    assert "moderators change it" in read(member, path)
    assert "Correct it" in read(moderator, path)
    line = member.post(
        path, {"act": "forget", "part": "row"}, headers={"HX-Request": "true"}
    ).content.decode()
    assert 'role="alert"' in line
    memory.refresh_from_db()
    assert memory.forgotten_at is None


def test_another_persons_memory_does_not_exist(team: Team, rivals: Team, sign_in: SignIn) -> None:
    memory = know(team, "Mia likes green tea.")
    for actor in (team.owner, team.other_member, rivals.owner):
        client = sign_in(actor)
        assert client.get(f"/memory/{memory.pk}/").status_code == 404
        assert client.post(f"/memory/{memory.pk}/", {"act": "forget"}).status_code == 404


def test_a_moderator_lets_everyone_hear_what_was_theirs(team: Team, sign_in: SignIn) -> None:
    memory = know(team, "Mona likes coffee.", heard_by=own(team.moderator))
    sign_in(team.moderator).post(f"/memory/{memory.pk}/", {"act": "audience", "audience": "organization"})
    memory.refresh_from_db()
    assert memory.audience == "organization"
    mine = know(team, "Mia likes green tea.")
    sign_in(team.member).post(f"/memory/{mine.pk}/", {"act": "audience", "audience": "organization"})
    mine.refresh_from_db()
    assert mine.audience == "person"


def test_where_it_was_learned_is_linked_for_those_who_take_part(team: Team, sign_in: SignIn) -> None:
    chat = start_conversation(team.member, agent_id=team.agent.pk, kind="dm", title="About closing times")
    provenance = types.Provenance(conversation_id=chat.pk)
    know(team, "The office closes at six.", heard_by=types.ORGANIZATION, provenance=provenance)
    assert f"/chat/{chat.pk}/" in read(sign_in(team.member), "/memory/")
    assert "About closing times" not in read(sign_in(team.owner), "/memory/")


def contradiction(team: Team, **audience: Any) -> InboxItem:
    old = know(team, "The release is on Thursday.", **audience)
    know(team, "The launch happens next Monday at noon.", contradicts=[old.pk], **audience)
    return InboxItem.objects.get()


def test_a_contradiction_is_decided_on_its_page(team: Team, sign_in: SignIn) -> None:
    item, client = contradiction(team), sign_in(team.member)
    assert "These contradict each other" in read(client, "/memory/inbox/")
    assert "Nothing to decide" in read(sign_in(team.owner), "/memory/inbox/")
    for _ in range(2):
        assert (
            client.post("/memory/inbox/", {"item": item.pk, "resolution": "keep_second"}).status_code == 302
        )
    assert not Memory.objects.get(pk=item.first_id).is_live
    assert Memory.objects.get(pk=item.second_id).is_live
    assert "Nothing to decide" in read(client, "/memory/inbox/")


@pytest.mark.parametrize("form", [{"item": "x", "resolution": "keep_first"}, {"resolution": "nonsense"}, {}])
def test_a_decision_that_makes_no_sense_changes_nothing(
    team: Team, sign_in: SignIn, form: dict[str, str]
) -> None:
    item = contradiction(team)
    assert sign_in(team.member).post("/memory/inbox/", {"item": item.pk, **form}).status_code == 302
    assert InboxItem.objects.filter(resolved_at=None).count() == 1


def test_what_an_agent_is_told_depends_on_who_listens(team: Team, sign_in: SignIn) -> None:
    know(team, "Mia likes green tea.")
    know(team, "The office closes at six.", heard_by=types.ORGANIZATION)
    alone = start_conversation(team.member, agent_id=team.agent.pk, kind="dm")
    group = start_conversation(
        team.member, agent_id=team.agent.pk, kind="group", user_ids=[team.owner.user.pk]
    )
    client = sign_in(team.member)
    private, shared = (read(client, f"/memory/told/?conversation={each.pk}") for each in (alone, group))
    assert "Mia likes green tea." in private
    assert "Only you" in private
    assert "The office closes at six." in private
    assert "Mia likes green tea." not in shared
    assert "The office closes at six." in shared
    assert sign_in(team.owner).get(f"/memory/told/?conversation={alone.pk}").status_code == 404


def test_all_five_layers_are_shown_with_what_they_use(team: Team, sign_in: SignIn) -> None:
    alone = start_conversation(team.member, agent_id=team.agent.pk, kind="dm")
    group = start_conversation(
        team.member, agent_id=team.agent.pk, kind="group", user_ids=[team.owner.user.pk]
    )
    happen(team, "Mia asked <b>for</b> a plan", where=alone)
    client = sign_in(team.member)
    private, shared = (read(client, f"/memory/told/?conversation={each.pk}") for each in (alone, group))
    for name in (
        "1. Identity", "2. Event log", "3. Other conversations", "4. Participants", "5. Knowledge", "of 1500 tokens",
    ):  # fmt: skip
        assert name in private
    assert "Mia asked &lt;b&gt;for&lt;/b&gt; a plan" in private
    assert "asked" not in shared


def test_what_is_left_out_says_why(team: Team, sign_in: SignIn) -> None:
    know(team, "A page claims the moon is cheese.", provenance=types.Provenance(source="web", trusted=False))
    chat = start_conversation(team.member, agent_id=team.agent.pk, kind="dm")
    assert "It came from outside" in read(sign_in(team.member), f"/memory/told/?conversation={chat.pk}")
    chat.settings = {"memory": "off"}
    chat.save(update_fields=["settings"])
    assert "Memory is off" in read(sign_in(team.member), f"/memory/told/?conversation={chat.pk}")


def test_without_a_conversation_there_is_nothing_to_tell(team: Team, sign_in: SignIn) -> None:
    assert "No conversation yet" in read(sign_in(team.other_member), "/memory/told/")


def test_the_graph_page_offers_agents_and_sizes(team: Team, sign_in: SignIn) -> None:
    page = read(sign_in(team.member), "/memory/graph/?size=500&agent=99999")
    assert f'data-agent="{team.agent.pk}" data-size="500"' in page
    assert 'data-size="100"' in read(sign_in(team.member), "/memory/graph/?size=100000")


def test_a_longer_table_asks_the_database_no_more(
    team: Team, sign_in: SignIn, django_assert_max_num_queries: Any
) -> None:
    client = sign_in(team.member)
    for text in ("Green tea.", "The corner shop.", "Thursday's release.", "Something about links."):
        know(team, text)
    client.get("/memory/")
    with django_assert_max_num_queries(14):
        client.get("/memory/")
