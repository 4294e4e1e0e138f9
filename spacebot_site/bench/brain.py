"""What the model server answers: a pure function of the request, so that an answer asked for twice is the same.

People's texts hold orders, each with a mark of its own: `say M`, `think M` (a branch), `work M` (a worker that
writes files). A reply names each mark it answers (`echo M`) and each result it passes on (`told M`), so that a
reply lost, doubled or in the wrong place shows.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

MARK = re.compile(r"\bm-[0-9a-z]+-\d+\b")
ORDER = re.compile(r"\b(say|think|work) (m-[0-9a-z]+-\d+)\b")
REPORT = re.compile(r"\[report (?:branch|worker) .*?\[/report\]", re.DOTALL)
RUNNING = re.compile(r"\[running now\].*?\[/running now\]", re.DOTALL)
RESULT = re.compile(r"\b(?:thought|made) (m-[0-9a-z]+-\d+)\b")
APPENDS = 2


@dataclass(frozen=True)
class Answer:
    """Either text or tool calls, as (name, arguments). `marks` are those of the people's texts it answers."""

    text: str = ""
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    marks: tuple[str, ...] = ()


def answer(request: dict[str, Any]) -> Answer:
    """Decide by the tools at hand which process asks."""
    tools = {tool["function"]["name"] for tool in request.get("tools") or ()}
    messages = request["messages"]
    if "reply" in tools:
        return _channel(messages)
    if "conclude" in tools:
        mark = MARK.findall(_text(messages[-1]))[-1]
        return Answer(calls=[("conclude", {"status": "done", "conclusion": f"thought {mark}"})])
    if "set_outcome" in tools:
        return _worker(messages)
    if "finish_keeping" in tools:
        return Answer(calls=[("finish_keeping", {"reason": "marks are not worth keeping"})])
    return Answer(text="ready")


def _channel(messages: list[dict[str, Any]]) -> Answer:
    turn = _this_turn(messages)
    heard = "\n".join(_text(message) for message in turn if message["role"] == "user")
    told = [mark for report in REPORT.findall(heard) for mark in RESULT.findall(report)[-1:]]
    orders = ORDER.findall(RUNNING.sub("", REPORT.sub("", heard)))
    handed_on = {
        mark
        for message in turn
        for call in message.get("tool_calls") or ()
        for mark in MARK.findall(call["function"]["arguments"])
    }
    calls: list[tuple[str, dict[str, Any]]] = []
    for verb, mark in orders:
        if verb != "say" and mark not in handed_on:
            tool = "branch" if verb == "think" else "spawn_worker"
            calls.append((tool, {"task": f"{verb} {mark}"}))
    alone = any(int(arguments["task"].rpartition("-")[2]) % 2 for _, arguments in calls)
    if not alone:
        words = [f"echo {mark}" for _, mark in orders] + [f"told {mark}" for mark in told]
        calls.append(("reply", {"content": "; ".join(words) or "nothing to say"}))
    return Answer(calls=calls, marks=tuple(mark for _, mark in orders))


def _worker(messages: list[dict[str, Any]]) -> Answer:
    task = next(_text(message) for message in messages if message["role"] == "user")
    mark = MARK.findall(task)[-1]
    step = sum(message["role"] == "assistant" for message in messages)
    if step < APPENDS:
        line = {"path": f"{mark}.log", "content": f"line {mark} {step}\n"}
        return Answer(calls=[("set_status", {"status": f"step {step}"}), ("append_file", line)])
    if step == APPENDS:
        return Answer(calls=[("write_file", {"path": f"{mark}.txt", "content": f"whole {mark}\n"})])
    return Answer(calls=[("set_outcome", {"status": "done", "summary": f"made {mark}"})])


def _this_turn(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the messages from the turn's first one on: history holds no tool calls."""
    for index, message in enumerate(messages):
        if message.get("tool_calls"):
            return messages[max(0, index - 1) :]
    return messages[-1:]


def _text(message: dict[str, Any]) -> str:
    content = message.get("content") or ""
    return content if isinstance(content, str) else json.dumps(content)
