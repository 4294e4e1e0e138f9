"""Two texts side by side: nothing is lost, and what both say is not marked."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from spacebot_site.web.word_diff import diff

WORDS = st.lists(st.sampled_from(["tea", "Tea,", "is", "green", "\n", "ready."]), max_size=12).map(" ".join)


@given(WORDS, WORDS)
def test_the_parts_of_a_side_are_its_text(first: str, second: str) -> None:
    for text, parts in zip((first, second), diff(first, second), strict=True):
        assert "".join(part.text for part in parts).split() == text.split()


def test_only_what_differs_is_marked() -> None:
    left, right = diff("The release is on Thursday.", "The release is on Monday.")
    assert [part.text for part in left if part.differs] == ["Thursday."]
    assert [part.text for part in right if part.differs] == ["Monday."]


def test_texts_with_little_in_common_are_left_whole() -> None:
    left, _ = diff("One two three four.", "Something else entirely, with other words.")
    assert [part.differs for part in left] == [False]
