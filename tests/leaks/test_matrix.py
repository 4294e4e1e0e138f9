"""Every set of listeners, every audience, every path: nobody reads a mark that not all who listen may hear."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents.context import knowledge
from memory.recall import recall
from tests.leaks.asking import forget_browsers
from tests.leaks.cases import Case, Path, hear_people
from tests.leaks.lately import audiences_of
from tests.leaks.lately_paths import synthesis_material
from tests.leaks.paths import PATHS
from tests.leaks.room_paths import SILENT
from tests.leaks.world import PEOPLE, ROOMS, USERS, WORD, World, build_world

MARK = re.compile(r"zq\d{4}x")
EXAMPLES = 200

CASES = st.builds(
    Case,
    present=st.frozensets(st.sampled_from(PEOPLE), max_size=4),
    room=st.none() | st.sampled_from(sorted(ROOMS)),
    user=st.sampled_from(USERS),
    query=st.sampled_from([WORD, WORD, WORD, "", "who said what in March?", "Guest", "%s'); --"]),
    mode=st.sampled_from(["hybrid", "recent", "important", "typed"]),
    types=st.sampled_from([(), (), ("fact",), ("event", "decision")]),
    pick=st.integers(0, 10_000),
)
MATRIX = settings(
    max_examples=EXAMPLES,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture
def world(transactional_db: None, settings: Any) -> Iterator[World]:
    settings.SPACEBOT_EMBEDDER = "hashing"
    storages = dict(settings.STORAGES)
    storages["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = storages
    knowledge._empty.clear()
    forget_browsers()
    yield build_world()
    forget_browsers()


def leaks(world: World, path: Path, case: Case, text: str) -> list[str]:
    """Return the marks in the text that should not be there, with the reason."""
    ears, agent, found = path.ears(case), path.agent(world, case), []
    for mark in sorted(set(MARK.findall(text))):
        secret = world.secrets[mark]
        if not secret.is_for(ears):
            found.append(f"{mark} is not for all of {sorted(ears)}: {secret}")
        elif path.is_memory and secret.off_record:
            found.append(f"{mark} was said off the record: {secret}")
        elif agent is not None and secret.agent != agent:
            found.append(f"{mark} is known to another agent: {secret}")
        elif secret.retired and not path.retired and (secret.forgotten or not path.log):
            found.append(f"{mark} is retired: {secret}")
    return found


def test_no_path_shows_anybody_what_is_not_for_all_who_listen(world: World) -> None:
    asked: dict[tuple[Any, ...], str] = {}
    shown: Counter[str] = Counter()

    @MATRIX
    @given(case=CASES)
    def ask_everywhere(case: Case) -> None:
        for name, path in PATHS.items():
            key = (name, *path.key(case))
            if key not in asked:
                asked[key] = path.text(world, case)
                shown[name] += len(set(MARK.findall(asked[key])))
            assert leaks(world, path, case, asked[key]) == [], name

    ask_everywhere()
    assert len(asked) > 1_500
    assert {name for name in PATHS if not shown[name]} == SILENT


def test_what_sums_up_for_one_audience_is_given_nothing_of_another(world: World) -> None:
    """Not even what all of them may hear: a summary is told on to whoever may hear its own audience."""
    agents = {"spacebot": world.acme.agent, "other": world.other_agent}
    for kind, key, heard_by in audiences_of(world):
        for name, agent in agents.items():
            given = set(MARK.findall(synthesis_material(agent, heard_by)))
            secrets = [world.secrets[mark] for mark in given]
            assert {(each.kind, each.key, each.agent) for each in secrets} <= {(kind, key, name)}
            assert bool(given) == (key != "hush")


def test_a_path_that_leaks_is_caught(world: World) -> None:
    """One that forgets who else is in the room, and one that asks nobody."""
    shelf = {"organization_id": world.acme.organization.pk, "agent_id": world.acme.agent.pk}

    def forgetful(world: World, case: Case) -> str:
        from memory.listeners import Listeners

        alone = Listeners.of([world.people["member"].pk])
        return str(recall(WORD, **shelf, listeners=alone, limit=50))

    def careless(world: World, case: Case) -> str:
        from memory.models import Memory

        return str(list(Memory.objects.values_list("content", flat=True)))

    case = Case(frozenset({"member", "guest"}), None, "member", WORD, "hybrid", (), 0)
    for function in (forgetful, careless):
        path = Path(function, hear_people)
        assert leaks(world, path, case, function(world, case))
    alone = Case(frozenset({"member"}), None, "member", WORD, "hybrid", (), 0)
    assert leaks(world, Path(forgetful, hear_people), alone, forgetful(world, alone)) == []
