from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from memory.ingestion.chunks import SIZE, spans, split
from memory.ingestion.reader.pages import Page

TEXTS = st.text(alphabet=st.sampled_from("ab cd.!?\n\t é。"), max_size=600)
LIMITS = st.tuples(st.integers(8, 120), st.integers(0, 3)).map(
    lambda pair: (pair[0], min(pair[1], pair[0] // 4))
)


@given(TEXTS, LIMITS)
def test_the_pieces_cover_everything_without_gaps_and_none_is_too_long(
    text: str, limits: tuple[int, int]
) -> None:
    size, overlap = limits
    found = spans(text, size=size, overlap=overlap)
    if not text:
        assert found == []
        return
    assert found[0][0] == 0
    assert found[-1][1] == len(text)
    for start, end in found:
        assert 0 < end - start <= size
    for (start, end), (later, later_end) in itertools.pairwise(found):
        assert start < later <= end < later_end
        assert end - later <= overlap


@given(st.lists(st.tuples(st.integers(1, 50), TEXTS), max_size=8), LIMITS)
def test_every_word_of_every_page_is_in_a_piece_that_names_its_page(
    pages: list[tuple[int, str]], limits: tuple[int, int]
) -> None:
    numbered = [Page(place, text) for place, (_, text) in enumerate(pages, start=1)]
    size, overlap = limits
    found = split(numbered, size=size, overlap=overlap)
    assert all(chunk.text.strip() for chunk in found)
    whole = "\n\n".join(page.text for page in numbered)
    covered = [False] * len(whole)
    for chunk in found:
        assert chunk.text == whole[chunk.start : chunk.end]
        covered[chunk.start : chunk.end] = [True] * (chunk.end - chunk.start)
        assert chunk.page_from is not None
        assert chunk.page_to is not None
        assert chunk.page_from <= chunk.page_to
        assert numbered[chunk.page_from - 1].text.strip()
    assert all(covered[place] for place, character in enumerate(whole) if not character.isspace())


def test_it_cuts_at_paragraphs_before_sentences_before_lines() -> None:
    paragraph = "x" * 2_500 + ". A line\nanother. " + "y" * 500 + "\n\n" + "z" * 3_000
    assert split([Page(None, paragraph)])[0].text.endswith("y\n\n")
    sentence = "x" * 2_500 + ". " + "y" * 500 + "\n" + "z" * 3_000
    assert split([Page(None, sentence)])[0].text.endswith("x. ")
    line = "x" * 2_500 + "\n" + "y " * 300 + "z" * 3_000
    assert split([Page(None, line)])[0].text.endswith("x\n")


def test_a_long_line_is_cut() -> None:
    found = split([Page(None, "x" * 10_000)])
    assert [len(chunk.text) for chunk in found] == [SIZE, SIZE, 2_400]


def test_what_is_said_at_a_cut_is_in_both_pieces_and_begins_with_a_word() -> None:
    first, second = split([Page(None, "Some words here. " * 300)])[:2]
    assert 100 < first.end - second.start <= 200
    assert second.text.startswith(("Some", "words", "here"))


def test_pages_are_kept() -> None:
    found = split([Page(1, "a" * 3_000), Page(2, "b" * 3_000), Page(3, "")])
    assert [(chunk.page_from, chunk.page_to) for chunk in found] == [(1, 1), (1, 2)]
    assert split([Page(1, " \n"), Page(2, "")]) == []
