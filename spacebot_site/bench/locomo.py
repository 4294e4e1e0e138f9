"""`bench locomo`: how well transcript recall finds the turns that answer questions about long conversations.

The data is read from LOCOMO_PATH and never copied; without it the bench says so and skips. Each conversation is a
tenant of its own in a throwaway database.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from spacebot_site.bench.database import throwaway_database

EVIDENCE = re.compile(r"D\d+:\d+")
FIGURES = ("any_at_5", "any_at_10", "recall_at_10", "mrr")
CATEGORIES = {1: "several turns", 2: "time", 3: "inference", 4: "one turn", 5: "unanswerable"}
DEPTH = 50


@dataclass(frozen=True)
class Asked:
    """One question's result: its category and its four figures."""

    category: int
    figures: tuple[float, float, float, float]


def run(*, quick: bool, as_json: bool) -> int:
    path = os.environ.get("LOCOMO_PATH", "")
    if not path:
        print("LOCOMO_PATH is not set: skipped.", file=sys.stderr)
        if as_json:
            print(json.dumps({"skipped": "LOCOMO_PATH is not set"}))
        return 0
    samples = json.loads(Path(path).read_text())
    with throwaway_database():
        results = measure(samples[:1] if quick else samples)
    _show(results, as_json=as_json)
    return 0


def measure(samples: list[dict[str, Any]]) -> dict[str, list[Asked]]:
    """Return each leg's results, question by question. Needs Django and an empty database."""
    from memory.recall.transcripts import WEIGHTS

    words_only = replace(WEIGHTS, vector=0.0, vector_context=0.0)
    nothing = replace(WEIGHTS, **dict.fromkeys(vars(WEIGHTS), 0.0))
    legs = {"fusion": WEIGHTS, "vector": replace(nothing, vector=1.0), "text": words_only}
    results: dict[str, list[Asked]] = {leg: [] for leg in legs}
    for number, sample in enumerate(samples):
        print(f"· conversation {number + 1} of {len(samples)}", file=sys.stderr, flush=True)
        recall, turns = _tell(sample, number)
        for question in sample["qa"]:
            evidence = set(EVIDENCE.findall(" ".join(question["evidence"]))) & set(turns.values())
            if evidence:
                for leg, weights in legs.items():
                    found = [turns[message_id] for message_id in recall(question["question"], weights)]
                    results[leg].append(Asked(question["category"], score(found, evidence)))
    return results


def score(found: list[str], evidence: set[str]) -> tuple[float, float, float, float]:
    """Return any@5, any@10, recall@10 and the reciprocal rank of one answer."""
    first = next((1 / rank for rank, turn in enumerate(found, 1) if turn in evidence), 0.0)
    top = set(found[:10])
    return (
        float(bool(evidence & set(found[:5]))),
        float(bool(evidence & top)),
        len(evidence & top) / len(evidence),
        first,
    )


def averages(asked: Iterable[Asked]) -> dict[str, float]:
    rows = [each.figures for each in asked]
    scale = (100, 100, 100, 1)
    return {
        name: round(scale[place] * sum(row[place] for row in rows) / len(rows), 3 if name == "mrr" else 1)
        for place, name in enumerate(FIGURES)
    }


Recall = Callable[[str, Any], list[int]]


def _tell(sample: dict[str, Any], number: int) -> tuple[Recall, dict[int, str]]:
    """Store one conversation; return its recall and the turn of each message."""
    from accounts.models import Organization, Person
    from memory.embedders import current_embedder
    from memory.listeners import Listeners
    from memory.recall.transcripts import recall_transcript
    from memory.services.embedding import embed_pending
    from memory.services.transcripts import index_conversation
    from messaging.models import Conversation, Handling, Message, Participant, PlatformAccount

    organization = Organization.objects.create(name=f"Team {number}", slug=f"team-{number}")
    account = PlatformAccount.objects.create(organization=organization, platform="webchat")
    conversation = Conversation.objects.create(
        organization=organization, account=account, agent_id=number + 1, external_id="it", kind="group"
    )
    people: dict[str, Person] = {}
    messages: list[Message] = []
    turns: list[str] = []
    for said_at, turn in _turns(sample["conversation"]):
        name = turn["speaker"]
        if name not in people:
            people[name] = Person.objects.create(organization=organization, display_name=name)
            Participant.objects.create(
                organization=organization, conversation=conversation, person=people[name]
            )
        caption = turn.get("blip_caption")
        messages.append(
            Message(
                organization=organization, conversation=conversation, seq=len(messages) + 1, direction="in",
                person=people[name], author_name=name, handling=Handling.ANSWERED, created_at=said_at,
                text=turn["text"] + (f" [image: {caption}]" if caption else ""),
            )
        )  # fmt: skip
        turns.append(turn["dia_id"])
    times = [message.created_at for message in messages]
    Message.objects.bulk_create(messages)
    for message, said_at in zip(messages, times, strict=True):
        message.created_at = said_at
    Message.objects.bulk_update(messages, ["created_at"])
    index_conversation(conversation.pk)
    while embed_pending():
        pass
    listeners = Listeners.of(person.pk for person in people.values())
    vectors: dict[str, list[float]] = {}

    def recall(question: str, weights: Any) -> list[int]:
        if question not in vectors:
            vectors[question] = current_embedder().embed([question])[0]
        found = recall_transcript(
            question, organization_id=organization.pk, agent_id=number + 1, listeners=listeners, limit=DEPTH,
            vector=vectors[question], weights=weights,
        )  # fmt: skip
        return [said.message_id for said in found]

    return recall, {message.pk: turn for message, turn in zip(messages, turns, strict=True)}


def _turns(conversation: dict[str, Any]) -> Iterable[tuple[datetime, dict[str, Any]]]:
    """Yield each turn with its time: a session's turns are a minute apart."""
    number = 1
    while (session := conversation.get(f"session_{number}")) is not None:
        dated = conversation[f"session_{number}_date_time"] + " +0000"
        began = datetime.strptime(dated, "%I:%M %p on %d %B, %Y %z")
        for place, turn in enumerate(session):
            yield began + timedelta(minutes=place), turn
        number += 1


def _show(results: dict[str, list[Asked]], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({leg: averages(asked) for leg, asked in results.items()}))
        return
    print(f"{len(results['fusion'])} questions\n{'':<24}" + "".join(f"{name:>14}" for name in FIGURES))
    for leg, asked in results.items():
        _row(leg, asked)
        for category, name in CATEGORIES.items():
            if some := [each for each in asked if each.category == category]:
                _row(f"  {name} ({len(some)})", some)


def _row(name: str, asked: list[Asked]) -> None:
    print(f"{name:<24}" + "".join(f"{value:>14g}" for value in averages(asked).values()))
