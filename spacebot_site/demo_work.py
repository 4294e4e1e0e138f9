"""A board, a goal, schedules and something to decide, to show the product with."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from accounts.actor import Actor
from messaging.models import Conversation
from tasks.authors import Author, by_person
from tasks.models import AuthorKind, Task
from tasks.services.approvals.asking import Asker, ask
from tasks.services.board import create_task
from tasks.services.goals import create_goal
from tasks.services.moves import move_task
from tasks.services.schedules.editing import create_schedule
from tasks.services.schedules.fields import When
from tasks.snapshots import Holder

PLANS = (
    ("Draft the release notes", "ready", ()),
    ("Check the handbook's links", "in_progress", ("in_progress",)),
    ("Decide between plan A and plan B", "ready", ("in_progress", "done")),
    ("Tell support what changes", "backlog", ()),
    ("Thank the testers", "backlog", ()),
)


def fill_work(actor: Actor, chat: Conversation) -> list[Task]:
    """Make a goal with tasks in several states, two schedules, and a tool call that waits for a decision."""
    person = by_person(actor)
    goal = create_goal(
        person,
        title="Ship the spring release",
        description="Done when the release is out by 14 May and no handbook link is broken.",
        due_on=(timezone.now() + timedelta(days=12)).date().isoformat(),
        priority="high",
    )
    tasks = []
    for title, state, moves in PLANS:
        first = "ready" if state in ("ready", "in_progress") else "backlog"
        task = create_task(
            person, state=first, title=title, goal_id=goal.pk, assignee=Holder("person", actor.user.pk)
        )
        for to in moves:
            task = move_task(person, task.number, to)
        tasks.append(task)
    agent = Author(
        AuthorKind.AGENT,
        actor.organization.pk,
        user_id=actor.user.pk,
        agent_id=chat.agent_id,
        conversation_id=chat.pk,
    )
    tasks.append(create_task(agent, title="Write a checklist for the next release", priority="low"))
    for prompt, phrase in (
        ("Look for new support requests and sum them up.", "every weekday at 9:00"),
        ("Compare the release branch with the plan.", "every 2 hours"),
    ):
        create_schedule(actor, conversation_id=chat.pk, prompt=prompt, when=When(phrase=phrase))
    ask(
        Asker(actor.organization.pk, agent_id=chat.agent_id, conversation_id=chat.pk),
        kind="tool_call",
        subject="write_file",
        action={
            "tool": "write_file",
            "arguments": {"path": "release-notes.md", "content": "# Spring release\n"},
        },
        origin_key="demo",
        title="Write release-notes.md",
        why="The draft is ready to be saved for everyone.",
    )
    return tasks
