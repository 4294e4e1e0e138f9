from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from django.core.exceptions import ImproperlyConfigured

from memory.embedders import current_embedder
from memory.embedders.base import fit
from memory.embedders.hashing import HashingEmbedder
from memory.embedders.minilm import MiniLM
from memory.embedders.openai_compatible import OpenAICompatible
from memory.embedders.optional_fastembed import FastEmbed
from memory.errors import EmbedderUnavailable
from memory.jobs import index
from memory.models import DIMENSIONS, Memory
from memory.services.embedding import embed_pending, get_progress


def likeness(first: list[float], second: list[float]) -> float:
    return sum(a * b for a, b in zip(first, second, strict=True))


def test_the_local_model_knows_what_is_alike() -> None:
    cat, feline, stocks = MiniLM().embed(
        ["A cat sits on the mat", "A feline rests on a rug", "Stock prices fell"]
    )
    assert likeness(cat, cat) == pytest.approx(1, abs=1e-5)
    assert likeness(cat, feline) == pytest.approx(0.5694, abs=1e-3)
    assert likeness(cat, stocks) < 0.1


def test_the_local_model_gives_a_text_the_same_vector_in_any_company() -> None:
    model = MiniLM()
    alone = model.embed(["A short text"])[0]
    among = model.embed(["A much longer text about many things " * 20, "A short text", ""])[1]
    assert among == pytest.approx(alone, abs=1e-5)


def test_the_local_model_is_let_go_when_idle_and_comes_back() -> None:
    model = MiniLM()
    before = model.embed(["A text"])
    model._used_at = -10_000
    model._let_go()
    assert not model._weights
    assert model.embed(["A text"]) == before


def test_the_hashing_embedder_is_deterministic() -> None:
    first, again, other = HashingEmbedder().embed(["red apple", "Red apple!", "blue tram"])
    assert first == again
    assert likeness(first, other) < 0.5
    assert len(first) == DIMENSIONS


def answer(request: httpx.Request, size: int) -> httpx.Response:
    texts = json.loads(request.content)["input"]
    rows = [{"index": place, "embedding": [1.0] * size} for place in range(len(texts))]
    return httpx.Response(200, json={"data": rows[::-1]})


def test_a_compatible_endpoint_is_asked_for_short_vectors_and_may_not_know_them() -> None:
    asked: list[dict[str, Any]] = []

    def serve(request: httpx.Request) -> httpx.Response:
        asked.append(json.loads(request.content))
        return httpx.Response(400) if "dimensions" in asked[-1] else answer(request, 768)

    embedder = OpenAICompatible("m", transport=httpx.MockTransport(serve))
    (vector,) = embedder.embed(["x"])
    embedder.embed(["y"])
    assert vector == fit([1.0] * 384)
    assert ["dimensions" in body for body in asked] == [True, False, False]


@pytest.mark.parametrize(
    "reply", [httpx.Response(500), httpx.Response(200, json={"data": []}), httpx.Response(200, text="no")]
)
def test_an_endpoint_that_fails_is_unavailable(reply: httpx.Response) -> None:
    embedder = OpenAICompatible("m", transport=httpx.MockTransport(lambda _: reply))
    with pytest.raises(EmbedderUnavailable):
        embedder.embed(["x"])


def test_what_is_not_installed_or_unknown_says_so(settings: Any) -> None:
    with pytest.raises(EmbedderUnavailable, match="not installed"):
        FastEmbed("m").embed(["x"])
    settings.SPACEBOT_EMBEDDER = "oracle"
    with pytest.raises(ImproperlyConfigured, match="oracle"):
        current_embedder()


def test_changing_the_embedder_embeds_anew_while_recall_goes_on(
    known: Any, mia: Any, settings: Any, rivals: Any
) -> None:
    ids = [known.know(f"Station {number} is closed", even_if_similar=True).pk for number in range(3)]
    settings.SPACEBOT_EMBEDDER = "hashing:second"
    organization_id = known.team.organization.pk
    assert get_progress(organization_id).share == 0
    found = known.recall("station closed", mia)
    assert sorted(each.id for each in found) == ids
    assert {each.likeness for each in found} == {0}
    index()
    progress = get_progress(organization_id)
    assert (progress.memories_done, progress.share) == (3, 1)
    assert get_progress(rivals.organization.pk).share == 1
    assert set(Memory.objects.values_list("embedder", flat=True)) == {"hashing:second"}
    assert all(each.likeness > 0 for each in known.recall("station closed", mia))
    assert embed_pending() == 0


def test_an_unreachable_embedder_leaves_the_work_for_later(known: Any, settings: Any) -> None:
    known.know("Station one is closed")
    settings.SPACEBOT_EMBEDDER, settings.SPACEBOT_EMBEDDER_URL = "openai:m", "http://127.0.0.1:9/"
    index()
    assert get_progress(known.team.organization.pk).memories_done == 0
