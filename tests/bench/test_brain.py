"""What the benches' model answers decides what they can find, so it is held still here."""

from __future__ import annotations

import json
from typing import Any

from spacebot_site.bench.brain import answer


def request(*messages: dict[str, Any], tools: tuple[str, ...]) -> dict[str, Any]:
    return {"messages": list(messages), "tools": [{"function": {"name": name}} for name in tools]}


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def called(name: str, **arguments: Any) -> dict[str, Any]:
    return {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"function": {"name": name, "arguments": json.dumps(arguments)}}],
    }


def test_a_burst_is_answered_in_one_reply_that_names_every_mark() -> None:
    found = answer(request(user("Mia: say m-1-2\nOtto: say m-1-3"), tools=("reply",)))
    assert found.calls == [("reply", {"content": "echo m-1-2; echo m-1-3"})]
    assert found.marks == ("m-1-2", "m-1-3")


def test_what_was_said_before_this_turn_is_not_answered_again() -> None:
    old = (user("Mia: say m-1-1"), {"role": "assistant", "content": "echo m-1-1"})
    found = answer(request(*old, user("Mia: say m-1-2"), tools=("reply",)))
    assert found.calls == [("reply", {"content": "echo m-1-2"})]


def test_an_order_is_handed_on_once_and_then_answered() -> None:
    tools = ("reply", "branch", "spawn_worker")
    order = user("Mia: work m-1-3")
    first = answer(request(order, tools=tools))
    assert first.calls == [("spawn_worker", {"task": "work m-1-3"})]
    result = {"role": "tool", "content": "Worker #9 started."}
    second = answer(request(order, called("spawn_worker", task="work m-1-3"), result, tools=tools))
    assert second.calls == [("reply", {"content": "echo m-1-3"})]


def test_a_result_is_told_and_its_task_is_not_taken_for_an_order() -> None:
    report = "[report worker #9 done]\n  Task: work m-1-3\n  made m-1-3\n[/report]"
    found = answer(request(user(report), tools=("reply", "spawn_worker")))
    assert found.calls == [("reply", {"content": "told m-1-3"})]


def test_a_worker_appends_each_line_once_then_writes_and_ends() -> None:
    messages: list[dict[str, Any]] = [user("[your task]\nwork m-1-3")]
    names = []
    for _ in range(4):
        found = answer(request(*messages, tools=("append_file", "write_file", "set_outcome")))
        names.append(found.calls[-1][0])
        messages += [called(*found.calls[-1][:1], **found.calls[-1][1]), {"role": "tool", "content": "ok"}]
    assert names == ["append_file", "append_file", "write_file", "set_outcome"]
