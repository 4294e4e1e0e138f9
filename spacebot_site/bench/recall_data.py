"""Invented memories for `bench recall`: words as frequent as in a language, vectors in clusters, audiences mixed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

DIMENSIONS = 384
THEMES, TOPICS = 60, 1_000
NOISE = 0.6
SECOND_TOPIC = 0.5
"""A text is about one topic, and a little about another: topics are not islands."""
VOCABULARY = 30_000
ROOMS, HEARD_ROOMS = 40, 10
Floats = NDArray[np.float32]
SHORT = "{:.4f}".format

INSERT = """
INSERT INTO memory_memory (organization_id, agent_id, type, content, digest, importance, pinned, audience,
    audience_conversation_id, audience_person_id, source, source_name, trusted, created_at, updated_at, valid_from,
    access_count, embedding, embedder)
SELECT %(organization)s, %(agent)s, (ARRAY['fact', 'event', 'observation', 'decision'])[1 + n %% 4], content,
    md5(content), 0.3 + 0.6 * random(), false,
    CASE WHEN n %% 10 < 6 THEN 'organization' WHEN n %% 10 < 9 THEN 'conversation' ELSE 'person' END,
    CASE WHEN n %% 10 BETWEEN 6 AND 8 THEN %(rooms)s[1 + (n / 10) %% cardinality(%(rooms)s)] END,
    CASE WHEN n %% 10 = 9 THEN %(people)s[1 + (n / 10) %% cardinality(%(people)s)] END,
    'conversation', '', true, t.at, t.at, t.at, 0, vector, 'hashing'
FROM bench_staged, LATERAL (SELECT now() - (n %% 300) * interval '1 day' AS at) AS t
ON CONFLICT DO NOTHING
"""


@dataclass
class Tenant:
    """One organization with an agent; `listener` takes part in a few of its rooms."""

    organization_id: int
    agent_id: int
    rooms: list[int]
    people: list[int]
    listener: int

    @property
    def shelf(self) -> dict[str, Any]:
        return {"organization_id": self.organization_id, "agent_id": self.agent_id}


class Source:
    """Makes texts and vectors from one seed."""

    def __init__(self, seed: int = 7) -> None:
        self.random = np.random.default_rng(seed)
        themes = _unit(self.random.standard_normal((THEMES, DIMENSIONS), np.float32))
        own = _unit(self.random.standard_normal((TOPICS, DIMENSIONS), np.float32))
        self.topics = _unit(themes[self.random.integers(0, THEMES, TOPICS)] + own)
        share = 1.0 / np.arange(3, VOCABULARY + 3)
        self.share = share / share.sum()
        letters = np.array(list("bcdfghklmnprstvz")), np.array(list("aeiou"))
        syllables = [a + b for a in letters[0] for b in letters[1]]
        self.words = np.array(
            ["".join(self.random.choice(syllables, 2 + number % 3)) + "x" for number in range(VOCABULARY)]
        )

    def vectors(self, count: int) -> Floats:
        noise = self.random.standard_normal((count, DIMENSIONS), np.float32) * np.float32(
            NOISE / DIMENSIONS**0.5
        )
        first, second = self.random.integers(0, TOPICS, (2, count))
        return _unit(self.topics[first] + np.float32(SECOND_TOPIC) * self.topics[second] + noise)

    def near(self, vectors: Floats) -> Floats:
        noise = self.random.standard_normal(vectors.shape, np.float32) * np.float32(NOISE / DIMENSIONS**0.5)
        return _unit(vectors + noise)

    def texts(self, count: int) -> list[str]:
        drawn = self.words[self.random.choice(VOCABULARY, (count, 60), p=self.share)]
        return [" ".join(row[: 30 + number % 31]) for number, row in enumerate(drawn)]


def make_tenant(number: int) -> Tenant:
    from accounts.models import Membership, Organization, Person, User
    from agents.models import Agent
    from messaging.models import Conversation, Participant, PlatformAccount

    organization = Organization.objects.create(name=f"Tenant {number}", slug=f"tenant-{number}")
    agent = Agent.objects.create(organization=organization, slug="spacebot", name="Spacebot")
    account = PlatformAccount.objects.create(organization=organization, platform="webchat")
    user = User.objects.create(email=f"listener@tenant-{number}.test")
    Membership.objects.create(organization=organization, user=user, role="member")
    people = [Person.objects.create(organization=organization, display_name=f"P{each}") for each in range(9)]
    people.append(Person.objects.create(organization=organization, user=user, display_name="Listener"))
    rooms = [
        Conversation.objects.create(
            organization=organization,
            account=account,
            agent_id=agent.pk,
            external_id=str(each),
            kind="group",
        )
        for each in range(ROOMS)
    ]
    for room in rooms[:HEARD_ROOMS]:
        Participant.objects.create(organization=organization, conversation=room, person=people[-1])
    return Tenant(
        organization.pk,
        agent.pk,
        [room.pk for room in rooms],
        [person.pk for person in people],
        people[-1].pk,
    )


def fill(tenant: Tenant, source: Source, count: int) -> None:
    """Store `count` memories with their words, in bulk."""
    from django.db import connection, transaction

    from memory.models import Memory
    from memory.services.postings import index_memories

    done = 0
    while done < count:
        size = min(10_000, count - done)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "CREATE TEMP TABLE bench_staged (n int, content text, vector vector(384)) ON COMMIT DROP"
            )
            _copy(cursor, done, source.texts(size), source.vectors(size))
            last = Memory.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
            cursor.execute(
                INSERT,
                {
                    "organization": tenant.organization_id,
                    "agent": tenant.agent_id,
                    "rooms": tenant.rooms,
                    "people": tenant.people,
                },
            )
            index_memories(Memory.objects.filter(pk__gt=last).values_list("pk", flat=True), fresh=True)
        done += size


def _copy(cursor: Any, first: int, texts: list[str], vectors: Floats) -> None:
    with cursor.copy("COPY bench_staged (n, content, vector) FROM STDIN") as copy:
        for place, text in enumerate(texts):
            listed = "[" + ",".join(map(SHORT, vectors[place].tolist())) + "]"
            copy.write_row((first + place, text, listed))


def _unit(vectors: Floats) -> Floats:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)
