from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.chunking import SMALLEST_LIMIT, Unit, split

units = st.sampled_from(list(Unit))
limits = st.integers(SMALLEST_LIMIT, 200)
prose = st.text(alphabet=st.sampled_from("ab é漢😀👩\u200d\u0301 \n.,"), max_size=600)


def squeeze(text: str) -> str:
    return re.sub(r"\s+", "", text)


@given(prose, limits, units)
def test_pieces_fit_are_never_blank_and_together_are_the_text(text: str, limit: int, unit: Unit) -> None:
    pieces = split(text, limit=limit, unit=unit)
    assert all(unit.measure(piece) <= limit for piece in pieces)
    assert all(piece.strip() for piece in pieces)
    assert squeeze("".join(pieces)) == squeeze(text)


lines = st.text(alphabet="xyz (){}=", min_size=1, max_size=70).filter(str.strip)
blocks = st.builds(
    lambda language, code, before: (language, code, before),
    st.sampled_from(["", "python", "c++"]),
    st.lists(lines, min_size=1, max_size=25),
    lines,
)


@given(st.lists(blocks, min_size=1, max_size=4), limits, units)
def test_cut_code_blocks_are_closed_and_opened_again_with_their_language(
    made: list[tuple[str, list[str], str]], limit: int, unit: Unit
) -> None:
    text = "\n".join(
        f"{before}\n```{language}\n" + "\n".join(code) + "\n```" for language, code, before in made
    )
    pieces = split(text, limit=limit, unit=unit)
    code: list[str] = []
    prose: list[str] = []
    for piece in pieces:
        assert unit.measure(piece) <= limit
        fences = [line for line in piece.split("\n") if line.startswith("```")]
        assert len(fences) % 2 == 0, piece
        assert all(fence == "```" for fence in fences[1::2])
        assert all(fence[3:] in {language for language, _, _ in made} for fence in fences[::2])
        for index, part in enumerate(re.split(r"^```.*$", piece, flags=re.MULTILINE)):
            (code if index % 2 else prose).append(part)
    assert squeeze("".join(code)) == squeeze("".join("".join(lines) for _, lines, _ in made))
    assert squeeze("".join(prose)) == squeeze("".join(before for _, _, before in made))


def test_it_prefers_paragraphs_then_lines_then_words() -> None:
    assert split("a" * 30 + "\n\n" + "b" * 20, limit=40) == ["a" * 30, "b" * 20]
    assert split("a" * 30 + "\n" + "b" * 20, limit=40) == ["a" * 30, "b" * 20]
    assert split("a" * 30 + " " + "b" * 20, limit=40) == ["a" * 30, "b" * 20]
    assert split("a" * 50, limit=40) == ["a" * 40, "a" * 10]


def test_a_code_block_continues_in_the_next_piece() -> None:
    text = "```python\n" + "\n".join(f"line_{n}()" for n in range(8)) + "\n```\nDone."
    assert split(text, limit=60) == [
        "```python\nline_0()\nline_1()\nline_2()\nline_3()\nline_4()\n```",
        "```python\nline_5()\nline_6()\nline_7()\n```\nDone.",
    ]


def test_a_fence_that_would_fill_the_piece_is_not_repeated() -> None:
    text = "`" * 38 + "\n" + "x" * 100 + "\n" + "`" * 38
    assert all(len(piece) <= 40 for piece in split(text, limit=40))


def test_indentation_survives_a_cut_in_code() -> None:
    text = "```\nif ready_to_go_right_now:\n    " + "x" * 20 + "\n    launch()\n```"
    assert any(piece.startswith("```\n    ") for piece in split(text, limit=50))


def test_a_joined_emoji_is_not_cut() -> None:
    family = "👩‍👩‍👧"
    assert all("\u200d" not in (piece[0], piece[-1]) for piece in split("x" * 38 + family, limit=40))


def test_units_are_the_platforms_own() -> None:
    text = "😀" * 40
    assert [len(split(text, limit=80, unit=unit)) for unit in Unit] == [1, 1, 2]


def test_nothing_to_say_gives_no_piece_and_a_tiny_limit_is_refused() -> None:
    assert split(" \n ", limit=100) == []
    with pytest.raises(ValueError):
        split("hello", limit=SMALLEST_LIMIT - 1)
