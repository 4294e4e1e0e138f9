"""A question as it is written into a conversation, and what typed words choose."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from agents.context.history import clean_name
from agents.models import Question, QuestionState

Option = dict[str, str]
_NUMBER = re.compile(r"(\d{1,2})\s*[.):]?")
_PARTS = re.compile(r"\s*(?:[,;&+\n]|\band\b|\bund\b)\s*", re.I)
_EDGES = " \t\n.!\"'`“”„*_"


def render(text: str, options: Sequence[Option], *, multi_select: bool) -> str:
    """Return a question with its numbered options, for whoever has no buttons."""
    lines = [
        f"{number}. **{option['label']}**" + (f" – {option['description']}" if option["description"] else "")
        for number, option in enumerate(options, start=1)
    ]
    how = "numbers or names" if multi_select else "a number or a name"
    return "\n".join([text, "", *lines, "", f"_Answer with {how}, or in your own words._"])


def choices_in(text: str, options: Sequence[Option], *, multi_select: bool) -> list[int]:
    """Return the places of the options that typed words name, by number or label; empty where they are something else."""
    if (one := _place(text, options)) is not None:
        return [one]
    if not multi_select:
        return []
    found = [_place(part, options) for part in _PARTS.split(text) if part.strip()]
    places = [place for place in found if place is not None]
    return sorted(set(places)) if len(places) == len(found) else []


def _place(text: str, options: Sequence[Option]) -> int | None:
    word = text.strip(_EDGES).casefold()
    for place, option in enumerate(options):
        label = option["label"].strip(_EDGES).casefold()
        if word == label or (word.startswith(f"{place + 1}") and _after_number(word) == label):
            return place
    number = _NUMBER.fullmatch(text.strip(_EDGES) or "-")
    if number and 1 <= int(number[1]) <= len(options):
        return int(number[1]) - 1
    return None


def _after_number(word: str) -> str:
    number = _NUMBER.match(word)
    return word[number.end() :].strip(_EDGES) if number else ""


def answer_text(options: Sequence[Option], answer: dict[str, Any]) -> str:
    """Return an answer as a person would say it."""
    return str(
        answer.get("text") or ", ".join(options[place]["label"] for place in answer.get("choices", ()))
    )


def told(question: Question) -> str:
    """Return what a model that waited is told of a closed question."""
    if question.state == QuestionState.ANSWERED:
        who = clean_name(question.answered_by.display_name) if question.answered_by else "Someone"
        own = " in their own words" if question.answer.get("text") else ""
        return f"{who} answered{own}: {answer_text(question.options, question.answer)}"
    if question.state == QuestionState.EXPIRED:
        return "Nobody answered in time. Decide yourself if you can, say so in your result, and do not ask it again."
    return "The question was taken back. Go on without an answer."
