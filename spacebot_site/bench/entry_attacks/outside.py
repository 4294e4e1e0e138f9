"""Everything outside that an attacker owns: a web site and an MCP server at one address, which keep every byte they are sent."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

from agents.egress.fake_server import FakeServer, Handler


class Outside(FakeServer):
    """`page` is what the site says, `result` what the tool of the server answers, `description` what it says of itself."""

    def __init__(self) -> None:
        self.page = self.result = "Nothing."
        self.description = "Looks things up."
        self.sent: list[str] = []

    def handler(self) -> type[Handler]:
        outside = self

        class Answer(Handler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                outside.keep(self.path, str(self.headers))
                self.say(405 if self.path == "/mcp" else 200, "text/plain", outside.page)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode(errors="replace")
                outside.keep(self.path, str(self.headers), body)
                said = outside.answer(json.loads(body))
                self.say(200 if said else 202, "application/json", json.dumps(said) if said else "")

            def do_DELETE(self) -> None:
                self.say(200, "text/plain", "")

            def say(self, status: int, kind: str, text: str) -> None:
                self.send(status, {"content-type": kind}, text.encode())

        return Answer

    def keep(self, *texts: str) -> None:
        self.sent += [form for text in texts for form in (text, unquote(text))]

    def answer(self, asked: dict[str, Any]) -> dict[str, Any] | None:
        """Answer as an MCP server with one tool."""
        schema = {"type": "object", "properties": {"text": {"type": "string"}}}
        results: dict[str, Any] = {
            "initialize": {
                "protocolVersion": asked.get("params", {}).get("protocolVersion", "2025-06-18"),
                "capabilities": {"tools": {}},
                "serverInfo": {"name": "outside", "version": "1"},
            },
            "tools/list": {
                "tools": [{"name": "look", "description": self.description, "inputSchema": schema}]
            },
            "tools/call": {"content": [{"type": "text", "text": self.result}]},
        }
        if "id" not in asked:
            return None
        return {"jsonrpc": "2.0", "id": asked["id"], "result": results.get(asked.get("method", ""), {})}
