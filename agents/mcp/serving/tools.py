"""What other programs may do here, each within a scope of their token and the rights of its user.

Adding one: an argument model, a function, a line in `TOOLS`; tests of success, refusal, and another organization.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from accounts.actor import Actor
from accounts.errors import NotFound
from agents import queries as agents
from agents.services.conversations import send_message
from agents.tools.base import Arguments
from memory.listeners import listeners_for
from memory.recall import recall
from messaging.queries import get_conversation
from tasks.agents import workforce
from tasks.authors import Author, by_person
from tasks.models import AuthorKind, TaskState
from tasks.payloads import task_facts
from tasks.queries import board as boards
from tasks.services import board

MOST_MEMORIES, MOST_TASKS = 20, 50
TOLD = ("id", "type", "content", "importance", "valid_from", "score")


@dataclass(frozen=True)
class Served:
    """A tool for others. `function` returns what becomes JSON; it raises AccountsError where it refuses."""

    name: str
    description: str
    scope: str
    arguments: type[Arguments]
    function: Callable[[Actor, Any], Any]
    reads_only: bool = False


class Recall(Arguments):
    query: str = Field(min_length=1, max_length=4_000, description="What to remember, in plain words.")
    agent: str = Field(
        default="", max_length=60, description="The agent that remembers, by its slug; empty: the first."
    )
    limit: int = Field(default=10, ge=1, le=MOST_MEMORIES)


def recall_memories(actor: Actor, asked: Recall) -> Any:
    """Recall with the token's user alone listening: nothing is told that was not said to them."""
    found = recall(
        asked.query,
        organization_id=actor.organization.pk,
        agent_id=_agent_id(actor, asked.agent),
        listeners=listeners_for(actor),
        limit=asked.limit,
    )
    return [{name: getattr(each, name) for name in TOLD} for each in found]


class ListTasks(Arguments):
    states: list[TaskState] = Field(
        default_factory=list, max_length=10, description="Empty: all that are not done."
    )
    search: str = Field(default="", max_length=200)
    limit: int = Field(default=20, ge=1, le=MOST_TASKS)


def list_tasks(actor: Actor, asked: ListTasks) -> Any:
    states = tuple(asked.states) or tuple(state for state in TaskState if state != TaskState.DONE)
    wanted = boards.TaskFilter(states=states, search=asked.search)
    names = workforce().names(actor.organization.pk)
    return [
        task_facts(task, names) for task in boards.page_of_tasks(by_person(actor), wanted, limit=asked.limit)
    ]


class CreateTask(Arguments):
    title: str = Field(min_length=1, max_length=200)
    description: str = Field(
        default="", max_length=50_000, description="What, why, and how to tell that it is done."
    )


def create_task(actor: Actor, asked: CreateTask) -> Any:
    """Propose a task. A program wrote it, so it waits for a person's approval like what agents write."""
    author = Author(AuthorKind.AGENT, actor.organization.pk, user_id=actor.user.pk)
    task = board.create_task(author, **asked.model_dump())
    return task_facts(task, workforce().names(actor.organization.pk))


class SendMessage(Arguments):
    conversation_id: int = Field(ge=1, le=2**63 - 1, description="One that the token's user takes part in.")
    text: str = Field(min_length=1, max_length=40_000)
    client_id: str | None = Field(
        default=None, min_length=1, max_length=100, description="Sending the same one again sends nothing."
    )


def send(actor: Actor, asked: SendMessage) -> Any:
    """Say something as the token's user; the agent there answers as it would answer them."""
    conversation = get_conversation(actor, asked.conversation_id)
    message = send_message(actor, conversation.pk, text=asked.text, client_id=asked.client_id)
    return {"message_id": message.pk, "seq": message.seq}


def _agent_id(actor: Actor, slug: str) -> int:
    found = agents.list_agents(actor).filter(**({"slug": slug} if slug else {})).order_by("pk").first()
    if found is None:
        raise NotFound("There is no such agent.")
    return found.pk


def as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


TOOLS: dict[str, Served] = {
    tool.name: tool
    for tool in (
        Served(
            name="recall",
            description="Recall what an agent knows and what you may hear, best first.",
            scope="memory:read",
            arguments=Recall,
            function=recall_memories,
            reads_only=True,
        ),
        Served(
            name="list_tasks",
            description="See the tasks on the board, the most urgent first.",
            scope="tasks:read",
            arguments=ListTasks,
            function=list_tasks,
            reads_only=True,
        ),
        Served(
            name="create_task",
            description="Propose a task. It waits for a person's approval before anybody can start it.",
            scope="tasks:write",
            arguments=CreateTask,
            function=create_task,
        ),
        Served(
            name="send_message",
            description="Write to a conversation with an agent, in your name.",
            scope="conversations:write",
            arguments=SendMessage,
            function=send,
        ),
    )
}
