"""What the models of keeping and merging answer where tests kill them."""

from __future__ import annotations

import re

from llm.clients import scripted
from llm.clients.scripted import call
from llm.types import ChatRequest


def install() -> None:
    scripted.install("channel-script", lambda request: scripted.call("reply", content="ok"))
    scripted.install("branch-script", _think)
    scripted.install("compactor-script", lambda request: scripted.say("Title: A part\nThey said things."))


def _think(request: ChatRequest) -> scripted.Scripted:
    return _keep(request) if "You keep the memory" in request.system[0] else _merge(request)


def _results(request: ChatRequest) -> list[str]:
    return [m.text for m in request.messages if type(m).__name__ == "ToolResult"]


def _keep(request: ChatRequest) -> scripted.Scripted:
    """Save two things that the conversation names, one step each, then name what was saved."""
    results = _results(request)
    if len(results) < 2:
        stretch = re.search(r"stretch \d+", request.messages[0].text)
        assert stretch is not None
        what = ("tea", "trains")[len(results)]
        return call("memory_save", content=f"In {stretch[0]} they spoke of {what}", type="fact")
    numbers = [int(number) for text in results for number in re.findall(r"memory (\d+)", text)]
    return call("finish_keeping", memory_ids=numbers)


def _merge(request: ChatRequest) -> scripted.Scripted:
    """Merge what the question names, then conclude with what came of it."""
    results = _results(request)
    if results:
        return call("conclude", status="done", conclusion=results[-1])
    text = request.messages[-1].text
    found = re.search(r"merge (\d+) and (\d+)", text)
    assert found is not None, text
    one = {"keep": int(found[1]), "absorb": [int(found[2])], "content": f"Both {found[1]} and {found[2]}"}
    return call("memory_consolidate", merges=[one])
