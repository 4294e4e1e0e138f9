"""What a message may contain: any script, emoji and direction marks, but no control characters."""

from __future__ import annotations

import re
import unicodedata

from accounts.errors import InvalidInput

MAX_TEXT_LENGTH = 100_000
TITLE_LENGTH = 60

_UNWANTED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def check_text(text: str) -> str:
    """Return what a person wrote, without control characters; refuse NUL, blank and oversized text."""
    if "\x00" in text:
        raise InvalidInput("The text holds a NUL character.", field="text")
    return _check_size(_strip_control(text))


def clean_reply(text: str) -> str:
    """Return what a model wrote, without any character that cannot be stored; refuse blank and oversized text."""
    return _check_size(_strip_control(text))


def make_title(text: str) -> str:
    """Return the first words of the first message as a conversation's title."""
    words = " ".join(text[: TITLE_LENGTH * 8].split()).lstrip("#>*-` ")
    if len(words) <= TITLE_LENGTH:
        return words
    cut = words.rfind(" ", TITLE_LENGTH // 2, TITLE_LENGTH)
    return words[: cut if cut > 0 else TITLE_LENGTH - 1].rstrip() + "…"


def _strip_control(text: str) -> str:
    if _UNWANTED.search(text) is None:
        return text
    return _UNWANTED.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def _check_size(text: str) -> str:
    if len(text) > MAX_TEXT_LENGTH:
        raise InvalidInput(
            f"A message may have {MAX_TEXT_LENGTH:,} characters; this has {len(text):,}.", field="text"
        )
    if _is_blank(text):
        raise InvalidInput("The message is empty.", field="text")
    return text


def _is_blank(text: str) -> bool:
    """Tell whether nothing can be seen; a lone zero-width or direction mark is nothing."""
    return all(char.isspace() or unicodedata.category(char) == "Cf" for char in text)
