"""`./spacebot chat`: say something to an agent as the owner, over the API, and show what comes back."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

from spacebot_site.launch.errors import LaunchError
from spacebot_site.launch.http_client import LocalApi

CONVERSATION = "Terminal"
WAIT_S = 120


def chat(home: Path, arguments: list[str]) -> int:
    """Send the text, print each reply; 1 with a reason when none comes."""
    options = _parse(arguments)
    api = LocalApi(home)
    agent = _find_agent(api, options.agent)
    conversation = _find_or_start(api, agent, options.conversation)
    found = api.post(
        f"/conversations/{conversation['id']}/messages?wait_s={options.wait}",
        {"text": options.text},
        timeout_s=options.wait + 15,
    )
    replies: list[dict[str, Any]] = found["replies"]
    if options.json:
        print(json.dumps(found))
    else:
        print("\n\n".join(reply["text"] for reply in replies))
    if not replies:
        print(f"spacebot: no reply: {found.get('reason') or 'none came in time'}", file=sys.stderr)
    elif not found["settled"]:
        print("spacebot: the agent still works on it; more may follow in the conversation", file=sys.stderr)
    return 0 if replies else 1


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="spacebot chat", description=__doc__)
    parser.add_argument("text")
    parser.add_argument("--agent", metavar="SLUG", help="the first agent when left out")
    parser.add_argument("--conversation", metavar="NAME", default=CONVERSATION)
    parser.add_argument("--wait", metavar="SECONDS", type=int, default=WAIT_S)
    parser.add_argument("--json", action="store_true", help="print the whole answer as one object")
    return parser.parse_args(arguments)


def _find_agent(api: LocalApi, slug: str | None) -> dict[str, Any]:
    agents: list[dict[str, Any]] = _items(api.get("/agents"))
    found = next((agent for agent in agents if slug in (None, agent["slug"])), None)
    if found is None:
        known = ", ".join(agent["slug"] for agent in agents) or "none"
        raise LaunchError(f"there is no agent {slug!r}", f"known agents: {known}")
    return found


def _find_or_start(api: LocalApi, agent: dict[str, Any], title: str) -> dict[str, Any]:
    for conversation in _items(api.get(f"/conversations?search={quote(title)}")):
        if conversation["title"] == title and conversation["agent_id"] == agent["id"]:
            return conversation
    started: dict[str, Any] = api.post(
        "/conversations", {"agent_id": agent["id"], "kind": "dm", "title": title}
    )
    return started


def _items(page: Any) -> list[dict[str, Any]]:
    return list(page["items"] if isinstance(page, dict) else page)
