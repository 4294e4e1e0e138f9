from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.utils import timezone

from agents.models import CallState, Prompt, Run, RunState, Step, ToolCall
from messaging.attachments import pictures
from messaging.models import Participant
from tests.factories import Team
from tests.pictures import png
from tests.web.conftest import SignIn
from tests.web.test_chat_pages import worker
from tests.web.test_pages import private_chat


def finished_worker(team: Team, **fields: Any) -> Run:
    now = timezone.now()
    prompt = Prompt.objects.create(
        organization=team.organization,
        digest="d",
        system=["You are a worker.", "Your task: count."],
        tools=[{"name": "read_file", "description": "Read.", "parameters": {}}],
    )
    run = worker(
        private_chat(team),
        title="Count the links",
        prompt=prompt,
        state=fields.pop("state", RunState.SUCCEEDED),
        started_at=now - timedelta(seconds=9),
        finished_at=now,
        **fields,
    )
    step = Step.objects.create(
        organization=team.organization,
        run=run,
        number=0,
        added=[{"kind": "user", "text": "Begin."}],
        response={"text": "I counted."},
        model="small",
        input_tokens=1200,
        output_tokens=34,
        started_at=run.started_at,
        finished_at=now,
    )
    ToolCall.objects.create(
        organization=team.organization,
        run=run,
        step=step,
        position=0,
        call_id="1",
        name="read_file",
        arguments={"path": "links.txt"},
        state=CallState.SUCCEEDED,
        key="k",
        result="480 lines <b>",
        started_at=now,
        finished_at=now,
    )
    return run


def test_a_run_shows_its_prompt_steps_tools_and_cost(team: Team, sign_in: SignIn) -> None:
    run = finished_worker(team)
    page = sign_in(team.member).get(f"/runs/{run.pk}/").content.decode()
    for text in (
        "You are a worker.",
        "Your task: count.",
        "Begin.",
        "I counted.",
        "links.txt",
        "unknown",
        "9.0 s",
    ):
        assert text in page
    assert "480 lines &lt;b&gt;" in page


def test_the_drawer_gets_the_run_without_the_frame(team: Team, sign_in: SignIn) -> None:
    run = finished_worker(team)
    part = sign_in(team.member).get(f"/runs/{run.pk}/", headers={"X-Fragment": "1"}).content.decode()
    assert "You are a worker." in part
    assert "<html" not in part


def test_a_run_of_a_conversation_one_is_not_in_does_not_exist(
    team: Team, rivals: Team, sign_in: SignIn
) -> None:
    run = finished_worker(team)
    for actor in (team.owner, team.other_member, rivals.owner):
        client = sign_in(actor)
        assert client.get(f"/runs/{run.pk}/").status_code == 404
        assert "Count the links" not in client.get("/runs/").content.decode()


def test_a_failed_run_says_why_offers_a_retry_and_stands_on_the_home_page(
    team: Team, sign_in: SignIn
) -> None:
    run = finished_worker(team, state=RunState.FAILED, failure={"message": "The file is missing."})
    client = sign_in(team.member)
    page = client.get(f"/runs/{run.pk}/").content.decode()
    assert "The file is missing." in page
    assert 'data-run-action="retry"' in page
    assert "The file is missing." in client.get("/home/").content.decode()


def test_the_list_filters_by_kind_and_by_what_is_under_way(team: Team, sign_in: SignIn) -> None:
    finished_worker(team)
    client = sign_in(team.member)
    assert "Count the links" in client.get("/runs/?kind=worker").content.decode()
    assert "Count the links" not in client.get("/runs/?kind=branch").content.decode()
    assert "Count the links" not in client.get("/runs/?live").content.decode()


def test_long_lists_of_runs_have_pages(team: Team, sign_in: SignIn) -> None:
    chat = private_chat(team)
    for number in range(55):
        worker(chat, title=f"worker {number}.")
    client = sign_in(team.member)
    first = client.get("/runs/?kind=worker").content.decode()
    assert "worker 54." in first
    assert "worker 4." not in first
    following = re.search(r'href="\?(kind=worker&amp;before=\d+)"', first)
    assert following
    second = client.get(f"/runs/?{following[1].replace('&amp;', '&')}").content.decode()
    assert "worker 4." in second
    assert "worker 5." not in second
    assert 'href="?kind=worker"' in second
    assert "Older runs" not in second


def test_a_reply_offers_no_retry(team: Team, sign_in: SignIn) -> None:
    run = finished_worker(team, state=RunState.FAILED, failure={"message": "No."})
    Run.objects.update(kind="channel")
    assert "data-run-action" not in sign_in(team.member).get(f"/runs/{run.pk}/").content.decode()


def test_the_parts_of_a_prompt_are_named(team: Team, sign_in: SignIn) -> None:
    run = finished_worker(team)
    Run.objects.update(kind="channel")
    assert "(of this conversation)" in sign_in(team.member).get(f"/runs/{run.pk}/").content.decode()


def test_a_picture_is_shown_to_whoever_may_see_the_inside_of_its_run_only(
    team: Team, rivals: Team, sign_in: SignIn, settings: Any, tmp_path: Path
) -> None:
    settings.SPACEBOT_HOME = tmp_path
    run = finished_worker(team)
    assert run.conversation_id is not None
    pictures.keep(team.organization.pk, run.conversation_id, run.pk, "k", [png()])
    ((row,),) = pictures.pictures_of(team.organization.pk, run.pk).values()
    path = f"/runs/{run.pk}/pictures/{row.pk}/"
    member = sign_in(team.member)
    assert f'<img src="{path}"' in member.get(f"/runs/{run.pk}/").content.decode()
    assert member.get(path)["Content-Type"] == "image/png"
    for actor in (team.owner, team.other_member, rivals.owner):
        assert sign_in(actor).get(path).status_code == 404
    joined = run.created_at + timedelta(seconds=1)
    Participant.objects.filter(conversation_id=run.conversation_id).update(joined_at=joined)
    assert member.get(f"/runs/{run.pk}/").status_code == 200
    assert member.get(path).status_code == 404
