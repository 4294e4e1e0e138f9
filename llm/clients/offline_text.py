"""Reading what the offline rules look at: people's lines, reports of child runs, requests for a file.

Lines of people look like `[2026-11-20 14:03 UTC] Name: text`, continued by indented lines; a report begins with
`[report worker #12 done]` and ends with `[/report]`; other lines in brackets are headings of the harness.
"""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass

_LINE = re.compile(
    r"^\[\d{4}-\d\d-\d\d \d\d:\d\d UTC\] [^:\n]{1,120}: ?(.*(?:\n[ \t]+.*|\n(?=\n[ \t]))*)", re.M
)
_REPORT = re.compile(r"^\[report (branch|worker) #(\d+) (\w+)\][ \t]*\n?(.*?)^\[/report\]", re.M | re.S)
_BLOCK = re.compile(r"^\[(running now|task context)\]\n.*?^\[/\1\]\n*", re.M | re.S)
_HEADING = re.compile(
    r"^\[(?:your task|your question|follow-up|arrived while[^\]\n]*|nothing new)\][ \t]*\n?", re.M
)
_TASK = re.compile(r"\A\s*Task: .*\n?")
_WRITE = re.compile(
    r"""\b(?:write|create|make|save)\s+(?:me\s+)?(?:a\s+|the\s+|new\s+)*(?:text\s+)?file\s+
        (?:called\s+|named\s+)?["'`]?(?P<path>[\w./\-]+)["'`]?\s*,?\s*
        (?:and\s+)?(?:that\s+|which\s+)?
        (?:saying|says|containing|contains|with(?:\s+the)?(?:\s+(?:text|content|words))?|:)\s*:?\s*(?P<text>.+)""",
    re.I | re.S | re.X,
)
_PROPOSE = re.compile(
    r"^\W*(?:(?:please )?(?:add|create|make|propose) (?:me )?(?:a )?)?task\s*:\s*(.+)", re.I | re.S
)
_WRITE_TIME = re.compile(
    r"""\b(?:write|save|put)\s+the\s+(?:current\s+)?(?:time|date(?:\s+and\s+time)?)\s+(?:in)?to\s+
        (?:the\s+|a\s+)?(?:file\s+)?["'`]?(?P<path>[\w./\-]+)""",
    re.I | re.X,
)
_NOW = re.compile(r"^It is \w+ (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \([\w/+\-]+\))\.$", re.M)
_STAMP = re.compile(r"^\[(\d{4}-\d\d-\d\d \d\d:\d\d UTC)\] ", re.M)
_READY = re.compile(
    r"^- #(\d+) [^\n]*\(ready; [^\n]*\b(?:yours|nobody's)\b[^\n]*\)|^- #(\d+) \(ready; [^\n]*\)", re.M
)
_BOARD = re.compile(r"^\[the board[^\]\n]*\]\n(.*?)(?=^\[|\Z)", re.M | re.S)
_THINK = re.compile(r"\b(?:think|reflect) (?:about|on|over)\s+(.+)", re.I | re.S)


@dataclass(frozen=True)
class ChildReport:
    kind: str
    number: int
    outcome: str
    text: str


def find_reports(text: str) -> list[ChildReport]:
    """Return the reports in a message, their text without the task and the indentation."""
    return [
        ChildReport(kind, int(number), outcome, textwrap.dedent(_TASK.sub("", body)).strip())
        for kind, number, outcome, body in _REPORT.findall(text)
    ]


def find_lines(text: str) -> list[str]:
    """Return what people said in a message, one text a line."""
    return [textwrap.dedent("  " + said).strip() for said in _LINE.findall(_REPORT.sub("", text))]


def plain_text(text: str) -> str:
    """Return a message without headings and blocks, and without the names before people's lines."""
    lines = find_lines(text)
    if lines:
        return "\n".join(lines)
    return _HEADING.sub("", _BLOCK.sub("", _REPORT.sub("", text))).strip()


def find_file_request(text: str) -> tuple[str, str] | None:
    """Return path and content of "write a file NAME saying TEXT"."""
    found = _WRITE.search(text)
    if found is None:
        return None
    content = found.group("text").strip()
    if len(content) > 1 and content[0] == content[-1] and content[0] in "\"'`":
        content = content[1:-1]
    return found.group("path").rstrip("."), content


def find_proposal(text: str) -> str | None:
    """Return what a line "task: …" wants to be put on the board."""
    found = _PROPOSE.search(text)
    return found.group(1).strip() if found else None


def find_time_request(text: str) -> str | None:
    """Return the path of "write the time to NAME"."""
    found = _WRITE_TIME.search(text)
    return found.group("path").rstrip(".") if found else None


def find_time(text: str) -> str | None:
    """Return the time that the harness tells: with a scheduled job, or before the newest line."""
    if told := _NOW.search(text):
        return told.group(1)
    stamps = _STAMP.findall(text)
    return stamps[-1] if stamps else None


def find_job(text: str) -> str | None:
    """Return what a scheduled job is to do."""
    _, found, job = text.partition("[what to do]\n")
    return textwrap.dedent(job.split("\n\n[")[0]).strip() if found else None


def find_topic(text: str) -> str | None:
    """Return what "think about …" is about."""
    found = _THINK.search(text)
    return found.group(1).strip() if found else None


def find_ready_tasks(text: str) -> list[int]:
    """Return the numbers of the tasks that a briefing shows as ready for the agent, in its order."""
    board = _BOARD.search(text)
    found = _READY.findall(board.group(1)) if board else []
    return [int(shown or private) for shown, private in found]
