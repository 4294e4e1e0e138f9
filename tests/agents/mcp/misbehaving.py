"""A server over stdio that says and does what its arguments ask for, written without any library.

`say FILE` reads its tools from a file, again at each listing; `pid FILE` writes its process id; `flood` sends a line
without an end when it is called; `deaf` never answers.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from pathlib import Path
from typing import Any

words = dict(zip(sys.argv[1::2], sys.argv[2::2], strict=False))
TOOLS = [
    {
        "name": "echo",
        "description": "Says it again.",
        "inputSchema": {"type": "object", "properties": {"text": {"type": "string"}}},
    }
]


def send(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


def tools() -> list[dict[str, Any]]:
    return json.loads(Path(words["say"]).read_text()) if "say" in words else TOOLS


def call(number: Any, name: str, arguments: dict[str, Any]) -> None:
    if name == "flood":
        while True:
            sys.stdout.write("x" * 1_000_000)
    if name == "die":
        os._exit(3)
    if name == "change":
        Path(words["say"]).write_text(arguments["tools"])
        send({"method": "notifications/tools/list_changed"})
    if name == "environment":
        arguments = {"text": json.dumps(dict(os.environ))}
    if name == "hang":
        send({"id": number, "result": {"content": [{"type": "text", "text": "soon"}]}})
        time.sleep(3600)
    if name == "look":
        arguments = {"text": json.dumps(reach(arguments["text"]))}
    if name == "never":
        return
    send(
        {"id": number, "result": {"content": [{"type": "text", "text": str(arguments.get("text", "done"))}]}}
    )


def reach(path: str) -> dict[str, bool]:
    """Try what a server should not reach, and its own folder, which it should."""
    found = {"file": os.path.exists(path), "network": True}
    try:
        socket.create_connection(("127.0.0.1", 9), timeout=1).close()
    except OSError:
        found["network"] = [each for _, each in socket.if_nameindex() if each != "lo"] != []
    Path("mine").write_text("x")
    return {**found, "home": Path("mine").read_text() == "x"}


def main() -> None:
    if "pid" in words:
        with Path(words["pid"]).open("a") as file:
            file.write(f"{os.getpid()}\n")
    sys.stdout.write("words that are no message\n")
    sys.stderr.write(words.get("complain", "all is well") + "\n")
    sys.stderr.flush()
    for line in sys.stdin:
        asked = json.loads(line)
        number, method, params = asked.get("id"), asked.get("method"), asked.get("params") or {}
        if "deaf" in words:
            time.sleep(3600)
        if method == "initialize":
            send({"id": number, "result": {"protocolVersion": "2025-06-18", "serverInfo": {"name": "bad", "version": "1"},
                  "capabilities": {"tools": {"listChanged": True}}}})  # fmt: skip
        elif method == "tools/list":
            send({"id": number, "result": {"tools": tools()}})
        elif method == "tools/call":
            call(number, params["name"], params.get("arguments") or {})
        elif method == "ping":
            send({"id": number, "result": {}})
        elif number is not None:
            send({"id": number, "error": {"code": -32601, "message": "there is no such method"}})


main()
