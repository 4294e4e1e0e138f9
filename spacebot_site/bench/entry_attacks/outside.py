"""Everything outside that an attacker owns: a web site and an MCP server at one address, which keep every byte they are sent."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import unquote


class Outside:
    """`page` is what the site says, `result` what the tool of the server answers, `description` what it says of itself."""

    def __init__(self) -> None:
        self.page = self.result = "Nothing."
        self.description = "Looks things up."
        self.sent: list[str] = []

    def __enter__(self) -> Self:
        outside = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                outside.keep(self.path, str(self.headers))
                self.answer(405 if self.path == "/mcp" else 200, "text/plain", outside.page)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode(errors="replace")
                outside.keep(self.path, str(self.headers), body)
                said = outside.answer(json.loads(body))
                self.answer(200 if said else 202, "application/json", json.dumps(said) if said else "")

            def do_DELETE(self) -> None:
                self.answer(200, "text/plain", "")

            def answer(self, status: int, kind: str, text: str) -> None:
                data = text.encode()
                self.send_response(status)
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *arguments: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port: int = self.server.server_address[1]
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

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
