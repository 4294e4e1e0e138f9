"""What the offline stand-in answers: rules over the text of a request, shared with the fake servers."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from llm.types import AssistantMessage, ChatMessage, ToolResult, UserMessage

HOW_TO_CONFIGURE = (
    "No model is configured, so these are built-in rules answering: add one under Settings → Models, "
    "or start with OPENAI_API_KEY or ANTHROPIC_API_KEY set."
)
ABILITIES = (
    'I can say hello, "think about" something in a branch, and have a worker "write a file NAME saying TEXT".'
)

_LINE = re.compile(r"^\[\d{4}-\d\d-\d\d \d\d:\d\d UTC\] ([^:\n]{1,120}): ?", re.M)
_REPORT = re.compile(r"^\[report (branch|worker) #(\d+) (\w+)\][ \t]*\n?(.*?)^\[/report\]", re.M | re.S)
_GREETING = re.compile(r"^\W*(hi|hey|hello|hallo|good (morning|afternoon|evening)|moin|servus|yo)\b", re.I)
_THINK = re.compile(r"\b(?:think|reflect) (?:about|on|over)\s+(.+)", re.I | re.S)
_WRITE = re.compile(
    r"""\b(?:write|create|make|save)\s+(?:me\s+)?(?:a\s+|the\s+|new\s+)*file\s+
        (?:called\s+|named\s+)?["'`]?(?P<path>[\w./\-]+)["'`]?\s*,?\s*
        (?:and\s+)?(?:that\s+|which\s+)?
        (?:saying|says|containing|contains|with(?:\s+the)?(?:\s+(?:text|content|words))?|:)\s*:?\s*(?P<text>.+)""",
    re.I | re.S | re.X,
)
_THANKS = re.compile(r"^\W*(thanks|thank you|thx|danke)\b", re.I)


@dataclass(frozen=True)
class Answer:
    """Text to say, or tools to call in order."""

    text: str = ""
    calls: tuple[tuple[str, dict[str, Any]], ...] = ()


@dataclass(frozen=True)
class Seen:
    """What the rules look at in a request, whatever its wire format was."""

    tools: frozenset[str]
    messages: tuple[ChatMessage, ...] = field(default=())

    @property
    def last_user_text(self) -> str:
        """The last user message without the clock and the names before each line."""
        return _LINE.sub("", self.last_user_raw).strip()

    @property
    def last_user_raw(self) -> str:
        return next((m.text for m in reversed(self.messages) if isinstance(m, UserMessage)), "")

    @property
    def called_since_user(self) -> list[str]:
        """Names of the tools that have a result after the last user message."""
        names: list[str] = []
        for message in reversed(self.messages):
            if isinstance(message, UserMessage):
                break
            if isinstance(message, ToolResult):
                names.append(message.name)
        return names[::-1]

    @property
    def is_first_reply(self) -> bool:
        return not any(isinstance(m, AssistantMessage) for m in self.messages)


def answer(seen: Seen) -> Answer:
    """Decide what to say or to call. The tools on offer tell which kind of process asks."""
    if {"write_file", "set_outcome"} <= seen.tools:
        return _as_worker(seen)
    if "set_outcome" in seen.tools:
        return _end_worker(seen, "failed", f"Without a model I cannot do this. {HOW_TO_CONFIGURE}")
    if "conclude" in seen.tools:
        return _as_branch(seen)
    if "reply" in seen.tools:
        return _as_channel(seen)
    return Answer(text=_talk(seen))


def find_file_request(text: str) -> tuple[str, str] | None:
    """Return path and content of "write a file NAME saying TEXT"."""
    found = _WRITE.search(text)
    if found is None:
        return None
    content = found.group("text").strip()
    if len(content) > 1 and content[0] == content[-1] and content[0] in "\"'`":
        content = content[1:-1]
    return found.group("path").rstrip("."), content


def find_reports(text: str) -> list[tuple[str, str, str, str]]:
    """Return (kind, number, outcome, text) of each report of a child run in `text`."""
    return [(kind, number, outcome, body.strip()) for kind, number, outcome, body in _REPORT.findall(text)]


def _as_channel(seen: Seen) -> Answer:
    done = seen.called_since_user
    if "reply" in done or "skip" in done:
        return Answer(text="Done.")
    reports = find_reports(seen.last_user_raw)
    if reports:
        return _reply("\n\n".join(_relay(*report) for report in reports))
    text = seen.last_user_text
    if not done:
        thought, wanted = _THINK.search(text), find_file_request(text)
        if wanted is not None and "spawn_worker" in seen.tools:
            return Answer(
                calls=(("spawn_worker", {"task": text, "interactive": False}), _say(_on_it(seen, wanted[0])))
            )
        if thought is not None and "branch" in seen.tools:
            topic = thought.group(1).strip()
            return Answer(
                calls=(("branch", {"task": topic}), _say(_first(seen, f"Let me think about {topic}")))
            )
    return _reply(_talk(seen))


def _as_worker(seen: Seen) -> Answer:
    wanted = find_file_request(seen.last_user_text)
    if wanted is None:
        return _end_worker(seen, "failed", f"Without a model I can only write files. {HOW_TO_CONFIGURE}")
    path, content = wanted
    written = [m for m in seen.messages if isinstance(m, ToolResult) and m.name == "write_file"]
    if not written:
        return Answer(calls=(("write_file", {"path": path, "content": content}),))
    if written[-1].is_error:
        return _end_worker(seen, "failed", f"I could not write {path}: {written[-1].text[:300]}")
    return _end_worker(seen, "done", f"I wrote {path} ({len(content.encode())} bytes).")


def _end_worker(seen: Seen, status: str, summary: str) -> Answer:
    if "set_outcome" in seen.called_since_user:
        return Answer(text=summary)
    return Answer(calls=(("set_outcome", {"status": status, "summary": summary}),))


def _as_branch(seen: Seen) -> Answer:
    topic = seen.last_user_text.strip() or "this"
    conclusion = f"I turned it over: {topic[:500]}. Built-in rules can repeat a thought but not deepen it."
    return Answer(calls=(("conclude", {"status": "done", "conclusion": conclusion}),))


def _talk(seen: Seen) -> str:
    text = seen.last_user_text
    if _GREETING.match(text):
        return _first(seen, "Hello! " + ABILITIES)
    if _THANKS.match(text):
        return _first(seen, "You are welcome.")
    quoted = " ".join(text.split())[:300]
    return (
        f"You said: “{quoted}”. {ABILITIES} {HOW_TO_CONFIGURE}"
        if quoted
        else f"{ABILITIES} {HOW_TO_CONFIGURE}"
    )


def _relay(kind: str, number: str, outcome: str, text: str) -> str:
    said = text or "(nothing)"
    return said if outcome in ("done", "succeeded") else f"The {kind} #{number} ended as {outcome}: {said}"


def _on_it(seen: Seen, path: str) -> str:
    return _first(seen, f"A worker is writing {path}.")


def _first(seen: Seen, text: str) -> str:
    """Add, in the first reply of a conversation, that no model is configured."""
    return f"{text.rstrip('.!?')}. {HOW_TO_CONFIGURE}" if seen.is_first_reply else text


def _reply(text: str) -> Answer:
    return Answer(calls=(_say(text),))


def _say(text: str) -> tuple[str, dict[str, Any]]:
    return ("reply", {"content": text})


def to_json(arguments: dict[str, Any]) -> str:
    return json.dumps(arguments, ensure_ascii=False)
