"""A conversation to show the product with: made of rows, in the organization of a throwaway installation."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from accounts.actor import Actor
from accounts.services.members import add_member
from agents.models import Agent, Checkpoint, Prompt, Run, RunKind, RunState, Step, ToolCall
from agents.services.agents import create_agent
from messaging.models import Conversation, Direction, Handling, Message, Reaction
from messaging.services.conversations import start_conversation

TALK = (
    (14, "in", "Morning! What is left before the spring release?"),
    (13, "out", "Three things:\n\n1. **Release notes**: nobody has started them.\n2. **Handbook links**: about 480, many "
    "from before the move.\n3. A decision between *plan A* and *plan B*.\n\nI am comparing the plans on the side. Shall a "
    "worker draft the notes meanwhile?"),
    (12, "in", "Yes please. And have the links checked too."),
    (11, "out", "Both are under way. You can keep talking; I will come back with each."),
    (9, "out", "The draft is in `release-notes.md`. The plans compare like this:\n\n| Plan | Ships | Risk |\n| --- | --- "
    "| --- |\n| A | 14 May | low |\n| B | 30 April | the importer |"),
)  # fmt: skip


def fill(actor: Actor) -> tuple[Conversation, Run]:
    """Make colleagues, agents and one lively conversation; return it and a run worth looking into."""
    agent = Agent.objects.filter(organization=actor.organization).first() or create_agent(
        actor, name="Spacebot"
    )
    create_agent(actor, name="Rhea", preset="engineering")
    colleague = add_member(actor, email="mia@example.org", name="Mia Lund").user_id
    chat = start_conversation(actor, agent_id=agent.pk, kind="dm", title="Plan the spring release")
    rota = start_conversation(
        actor, agent_id=agent.pk, kind="group", title="Support rota", user_ids=[colleague]
    )
    channel = _run(chat, RunKind.CHANNEL, RunState.SUCCEEDED, minutes=14, seconds=6)
    _steps(channel)
    _run(
        chat,
        RunKind.BRANCH,
        RunState.SUCCEEDED,
        minutes=13.965,
        seconds=9,
        parent=channel,
        title="Compare plan A and plan B",
    )
    _run(
        chat,
        RunKind.WORKER,
        RunState.SUCCEEDED,
        minutes=11.5,
        seconds=41,
        title="Draft release-notes.md",
    )
    _run(
        chat, RunKind.WORKER, RunState.RUNNING, minutes=2,
        title="Check every link in the handbook", status_text="212 of 480 links checked",
    )  # fmt: skip
    _run(
        rota,
        RunKind.WORKER,
        RunState.FAILED,
        minutes=40,
        seconds=12,
        title="Fetch the holiday calendar",
        failure={"message": "The calendar's server did not answer within 30 s."},
    )
    _talk(actor, chat, channel)
    _marks(actor, chat)
    return chat, channel


def _marks(actor: Actor, chat: Conversation) -> None:
    """Add a summary, a reply to one message and a reaction."""
    messages = {message.seq: message for message in chat.messages.all()}
    Checkpoint.objects.create(
        organization=chat.organization,
        conversation=chat,
        from_seq=1,
        to_seq=2,
        title="What is left before the spring release",
        summary="Open: the release notes, about 480 handbook links, and the choice between plan A and plan B.\n\n"
        "Spacebot compares the plans on the side and offered a worker for the notes.",
    )
    Message.objects.filter(pk=messages[3].pk).update(reply_to=messages[2])
    person = chat.participants.get(person__user=actor.user).person
    Reaction.objects.create(organization=chat.organization, message=messages[4], person=person, emoji="👍")


def _talk(actor: Actor, chat: Conversation, channel: Run) -> None:
    person = chat.participants.get(person__user=actor.user).person
    now = timezone.now()
    for seq, (minutes, direction, text) in enumerate(TALK, start=1):
        inbound = direction == Direction.INBOUND
        message = Message.objects.create(
            organization=chat.organization,
            conversation=chat,
            seq=seq,
            direction=direction,
            person=person if inbound else None,
            author_name=person.display_name if inbound else channel.agent.name,
            text=text,
            run_id=None if inbound else channel.pk,
            handling=Handling.ANSWERED if inbound else Handling.NOT_NEEDED,
            handled_by_run_id=channel.pk if inbound and seq == 1 else None,
        )
        Message.objects.filter(pk=message.pk).update(created_at=now - timedelta(minutes=minutes))
    chat.last_seq, chat.last_message_at = len(TALK), now - timedelta(minutes=TALK[-1][0])
    chat.save(update_fields=["last_seq", "last_message_at"])


def _run(
    chat: Conversation, kind: str, state: str, *, minutes: float, seconds: float = 0, **fields: Any
) -> Run:
    started = timezone.now() - timedelta(minutes=minutes)
    run = Run.objects.create(
        organization=chat.organization,
        agent_id=chat.agent_id,
        conversation=chat,
        kind=kind,
        state=state,
        due_at=started,
        started_at=started,
        finished_at=started + timedelta(seconds=seconds) if seconds else None,
        lease_expires_at=timezone.now() + timedelta(hours=1) if state == RunState.RUNNING else None,
        **fields,
    )
    Run.objects.filter(pk=run.pk).update(created_at=started)
    return run


def _steps(run: Run) -> None:
    """Give a run a prompt, two steps and two tool calls."""
    assert run.started_at
    tools = [
        {
            "name": "reply",
            "description": "Say something to the people here.",
            "parameters": {"type": "object"},
        },
        {"name": "branch", "description": "Think on the side.", "parameters": {"type": "object"}},
    ]
    system = [f"You are {run.agent.name}.\n\n{run.agent.soul}\n\n{run.agent.role}", "Nothing is under way."]
    run.prompt = Prompt.objects.create(
        organization=run.organization, digest="demo", system=system, tools=tools
    )
    run.save(update_fields=["prompt"])
    at = [run.started_at + timedelta(seconds=each) for each in (0, 2.1, 2.2, 2.5, 6)]
    given = [{"kind": "user", "text": TALK[0][2]}]
    fields: dict[str, Any] = {"organization": run.organization, "run": run}
    tokens = {"model": "claude-sonnet", "input_tokens": 2314, "output_tokens": 142, "cost_usd": "0.0091"}
    first = Step.objects.create(
        number=0, added=given, stop_reason="tools", started_at=at[0], finished_at=at[1], **tokens, **fields
    )
    for position, (name, arguments) in enumerate(
        (("branch", {"task": "Compare plan A and plan B"}), ("reply", {"text": TALK[1][2]}))
    ):
        ToolCall.objects.create(
            step=first,
            position=position,
            call_id=str(position),
            name=name,
            arguments=arguments,
            state="succeeded",
            key=f"demo-{position}",
            result="Started." if name == "branch" else "Sent.",
            started_at=at[position + 1],
            finished_at=at[position + 2],
            **fields,
        )
    Step.objects.create(
        number=1,
        response={"text": ""},
        stop_reason="end",
        started_at=at[3],
        finished_at=at[4],
        **tokens,
        **fields,
    )
