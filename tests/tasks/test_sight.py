"""What a model wrote, as a person sees it."""

from __future__ import annotations

import pytest

from tasks.services.approvals.sight import visible


@pytest.mark.parametrize(
    "code", [0x0D, 0x1B, 0x7F, 0x9B, 0xAD, 0x34F, 0x200B, 0x202E, 0x2028, 0x2800, 0x3164, 0xFE0F, 0xE0041]
)
def test_what_fonts_draw_as_nothing_is_shown_by_its_number(code: int) -> None:
    assert visible(f"a{chr(code)}b") == f"a⟨U+{code:04X}⟩b"


def test_long_emptiness_is_shown_by_its_length() -> None:
    assert visible("a" + "\n" * 500 + "b") == "a\n⟨499 empty lines⟩\nb"
    assert visible("a" + " " * 3_000 + "b") == "a ⟨3000 spaces⟩ b"


def test_text_of_any_language_stays_as_it_is() -> None:
    for text in ("Grüße,\n\tсделано — 完了", "def a():\n\n\n    return 1", "e\u0301"):
        assert visible(text) == text
