"""How often each page may ask the database, whatever it shows: rows of ten conversations and their runs."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agents.models import Checkpoint, RunKind, RunState
from llm.models import ModelEntry, Provider, Route
from messaging.models import Message, Reaction
from realtime.models import EventCounter
from spacebot_site.demo_autonomy import fill_autonomy
from spacebot_site.demo_memory import fill_files, fill_memory
from tasks.authors import by_person
from tasks.services.approvals.asking import Asker, ask
from tasks.services.board import create_task
from tasks.snapshots import Holder
from tests.factories import Team
from tests.tasks.conftest import agent_of
from tests.tasks.timetable import make
from tests.web.conftest import SignIn
from tests.web.test_chat_pages import say, worker
from tests.web.test_pages import private_chat
from tests.web.test_run_pages import finished_worker

MOST = {
    "/home/": 24,
    "/chat/": 7,
    "/chat/list/": 7,
    "/chat/{chat}/": 19,
    "/chat/{chat}/before/20/": 10,
    "/chat/{chat}/people/": 8,
    "/chat/{chat}/model/": 6,
    "/chat/{chat}/rename/": 5,
    "/chat/new/": 6,
    "/approvals/": 12,
    "/approvals/?show=open": 12,
    "/approvals/grants/": 6,
    "/settings/tools/": 10,
    "/palette/?q=a": 6,
    "/runs/": 5,
    "/runs/{run}/": 15,
    "/agents/": 5,
    "/agents/spacebot/": 13,
    "/agents/spacebot/autonomy/": 22,
    "/agents/spacebot/wakes/new/": 5,
    "/settings/autonomy/": 9,
    "/agents/spacebot/cortex/": 10,
    "/agents/new/": 4,
    "/memory/": 14,
    "/memory/new/": 8,
    "/memory/files/": 12,
    "/memory/inbox/": 10,
    "/settings/models/": 10,
    "/settings/models/providers/{provider}/": 5,
    "/settings/models/{model}/": 5,
    "/settings/members/": 6,
    "/settings/tokens/": 6,
    "/settings/secrets/": 6,
}


@pytest.fixture
def full(team: Team) -> dict[str, int]:
    """Much of everything, for an administrator who takes part in all of it."""
    team.member.user.memberships.update(role="admin")
    provider = Provider.objects.create(organization=team.organization, name="House", kind="openai_chat")
    for number in range(6):
        entry = ModelEntry.objects.create(
            organization=team.organization, provider=provider, name=f"m{number}"
        )
        Route.objects.create(organization=team.organization, process="channel", position=number, entry=entry)
    run = finished_worker(team)
    for number in range(10):
        chat = private_chat(team, title=f"Chat {number}")
        for state in (RunState.RUNNING, RunState.QUEUED):
            worker(chat, kind=RunKind.WORKER, title="w", state=state)
        said = say(chat, "said", seq=1, outbound=True)
    for seq in range(2, 30):
        said = say(chat, f"line {seq}", seq=seq)
        Message.objects.filter(pk=said.pk).update(reply_to=said)
        Reaction.objects.create(organization=team.organization, message=said, run_id=1, emoji="👍")
    chat.settings = {"model": entry.pk}
    chat.save()
    for number in range(10):
        ask(
            Asker(team.organization.pk, conversation_id=chat.pk, requester_user_id=team.member.user.pk),
            kind="tool_call", action={"arguments": {}}, origin_key=f"ask{number}", title="Ask",
        )  # fmt: skip
    for end in (10, 20):
        Checkpoint.objects.create(
            organization=team.organization,
            conversation=chat,
            from_seq=end - 9,
            to_seq=end,
            title="t",
            summary="s",
        )
    for _ in range(10):
        create_task(by_person(team.member), title="t", assignee=Holder("person", team.member.user.pk))
        create_task(agent_of(team), title="t")
        make(team, chat)
    fill_memory(team.member, team.agent.pk, count=60)
    fill_files(team.member, team.agent.pk)
    fill_autonomy(team.admin, team.agent)
    return {"chat": chat.pk, "run": run.pk, "provider": provider.pk, "model": entry.pk}


@pytest.mark.parametrize("path", MOST)
def test_a_page_asks_the_database_little(
    path: str, team: Team, full: dict[str, int], sign_in: SignIn, django_assert_max_num_queries: Any,
    caches_kept: None,
) -> None:  # fmt: skip
    client = sign_in(team.member)
    address = path.format(**full)
    assert client.get(address).status_code == 200
    with django_assert_max_num_queries(MOST[path]):
        client.get(address)


@pytest.mark.parametrize("path", ["/home/", "/chat/{chat}/", "/runs/{run}/", "/board/", "/approvals/"])
def test_a_page_listens_from_before_what_it_shows(
    path: str, full: dict[str, int], team: Team, sign_in: SignIn
) -> None:
    """What happens while the page is made is told to it afterwards; else it would show the past for good."""
    client = sign_in(team.member)
    with CaptureQueriesContext(connection) as captured:
        page = client.get(path.format(**full)).content.decode()
    statements = [query["sql"] for query in captured]
    began = next(place for place, sql in enumerate(statements) if "realtime_eventcounter" in sql)
    read = next(
        place
        for place, sql in enumerate(statements)
        if re.search(r'FROM "(agents|messaging|tasks|memory)_', sql)
    )
    assert began < read
    last = EventCounter.objects.get(organization=team.organization).last_number
    assert f'data-after="{last}"' in page
