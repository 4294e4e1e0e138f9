from __future__ import annotations

from functools import cache
from itertools import pairwise

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from secret_store.scrubbing.forms import is_recognisable
from secret_store.scrubbing.rolling import RollingScrubber, scrub_following
from secret_store.scrubbing.scrubber import Scrubber
from spacebot_site.bench.secret_attacks.encodings import ENCODINGS

NAME = "DEPLOY_KEY"
MARKER = f"[secret {NAME}]"
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
SECRETS = st.text(LETTERS + "-_+/=.:!\"'\\&<>% äß€", min_size=16, max_size=60).filter(
    lambda value: (
        is_recognisable(value)
        and value == value.strip()
        and any(char.isdigit() for char in value)
        and len(set(value)) >= 10
    )
)
WORDS = st.text("ghijklmn opqr.,\n", max_size=60)
PLANTED: dict[str, st.SearchStrategy[str]] = {
    "secret": SECRETS,
    "encoding": st.sampled_from(sorted(ENCODINGS)),
    "before": WORDS,
    "after": WORDS,
}
"""A secret in one of its forms, between words."""


@cache
def scrubber_of(secret: str) -> Scrubber:
    return Scrubber([(NAME, secret)], patterns=False)


def in_a_sentence(before: str, encoded: str, after: str) -> str:
    return f"{before} {encoded} {after}"


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(secret=SECRETS, before=WORDS, after=WORDS)
def test_no_secret_leaves_in_any_encoding(encoding: str, secret: str, before: str, after: str) -> None:
    encoded = ENCODINGS[encoding](secret)
    done = scrubber_of(secret).scrub(in_a_sentence(before, encoded, after))
    assert encoded not in done.text
    assert secret not in done.text
    assert MARKER in done.text
    assert done.text.startswith(f"{before} ")
    assert done.text.endswith(f" {after}")


@given(
    **PLANTED,
    cuts=st.lists(st.integers(0, 400), max_size=12),
)
@example(secret="0000000123456789", encoding="hex in twos of two", before="", after="", cuts=[6])
@example(secret="kq9abcdef123456789", encoding="hex in twos of two", before="", after="", cuts=[6, 11])
def test_no_secret_leaves_a_stream_however_it_is_split(
    secret: str, encoding: str, before: str, after: str, cuts: list[int]
) -> None:
    encoded = ENCODINGS[encoding](secret)
    text = in_a_sentence(before, encoded, after)
    rolling = RollingScrubber(scrubber_of(secret))
    edges = sorted({0, len(text), *(min(cut, len(text)) for cut in cuts)})
    pieces = [text[low:high] for low, high in pairwise(edges)]
    shown = "".join([*(rolling.feed(piece) for piece in pieces), rolling.flush()])
    assert encoded not in shown
    assert shown == scrubber_of(secret).scrub(text).text
    assert rolling.hits[NAME] >= 1


@given(
    **PLANTED,
    cut=st.integers(0, 400),
)
def test_no_secret_is_whole_in_two_messages_one_after_the_other(
    secret: str, encoding: str, before: str, after: str, cut: int
) -> None:
    encoded = ENCODINGS[encoding](secret)
    text = in_a_sentence(before, encoded, after)
    first, second = text[:cut], text[cut:]
    scrubber = scrubber_of(secret)
    said = [scrub_following(scrubber, "", first).text, scrub_following(scrubber, first, second).text]
    assert encoded not in "".join(said)


@given(text=st.text(max_size=400), secret=SECRETS, cuts=st.lists(st.integers(0, 400), max_size=6))
def test_text_without_secrets_passes_unchanged(text: str, secret: str, cuts: list[int]) -> None:
    assume(secret.lower() not in text.lower())
    scrubber = scrubber_of(secret)
    assert scrubber.scrub(text).text is text
    rolling = RollingScrubber(scrubber)
    edges = sorted({0, len(text), *(min(cut, len(text)) for cut in cuts)})
    pieces = [text[low:high] for low, high in pairwise(edges)]
    assert "".join([*(rolling.feed(piece) for piece in pieces), rolling.flush()]) == text


@given(secret=SECRETS, text=WORDS)
def test_scrubbing_again_changes_nothing(secret: str, text: str) -> None:
    scrubber = Scrubber([(NAME, secret)])
    once = scrubber.scrub(f"{text} {secret} {text}").text
    assert scrubber.scrub(once).text == once


@given(
    **PLANTED,
    cut=st.integers(0, 400),
    cuts=st.lists(st.integers(0, 400), max_size=6),
)
@example(secret="0000000123456789", encoding="HTML, every character", before="", after="", cut=66, cuts=[])
@example(secret=f"{'0' * 51}123456789", encoding="hex in twos of two", before="", after="", cut=64, cuts=[2])
def test_no_stream_completes_what_was_said_before_it(
    secret: str, encoding: str, before: str, after: str, cut: int, cuts: list[int]
) -> None:
    encoded = ENCODINGS[encoding](secret)
    text = in_a_sentence(before, encoded, after)
    scrubber = scrubber_of(secret)
    first, rest = scrub_following(scrubber, "", text[:cut]).text, text[cut:]
    rolling = RollingScrubber(scrubber, first)
    edges = sorted({0, len(rest), *(min(cut, len(rest)) for cut in cuts)})
    pieces = [rest[low:high] for low, high in pairwise(edges)]
    shown = "".join([*(rolling.feed(piece) for piece in pieces), rolling.flush()])
    assert encoded not in first + shown
