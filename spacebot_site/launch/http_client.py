"""A small client of the running installation's API, with the launcher's own token."""

from __future__ import annotations

import http.client
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from spacebot_site.launch.errors import LaunchError
from spacebot_site.launch.home import read_private
from spacebot_site.launch.state import find_running


class LocalApi:
    """Talks to the web process of a home over loopback. Raises LaunchError for whatever goes wrong."""

    def __init__(self, home: Path) -> None:
        state = find_running(home)
        if state is None:
            raise LaunchError("Spacebot is not running", "start it with ./spacebot")
        self.port = state.port
        self.headers = {
            "Authorization": f"Bearer {read_private(home / 'config' / 'launcher_token')}",
            "Host": urlsplit(state.address).netloc,
            "Content-Type": "application/json",
        }

    def get(self, path: str) -> Any:
        return self.request("GET", path)

    def post(self, path: str, body: dict[str, Any], *, timeout_s: float = 30) -> Any:
        return self.request("POST", path, body, timeout_s=timeout_s)

    def request(
        self, method: str, path: str, body: dict[str, Any] | None = None, *, timeout_s: float = 30
    ) -> Any:
        """Return the decoded answer of `/api/v1` + `path`."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout_s)
        try:
            payload = None if body is None else json.dumps(body)
            connection.request(method, f"/api/v1{path}", payload, self.headers)
            answer = connection.getresponse()
            text = answer.read().decode("utf-8", "replace")
        except TimeoutError:
            raise LaunchError(f"no answer within {timeout_s:.0f} s", "see ./spacebot status") from None
        except (OSError, http.client.HTTPException) as error:
            raise LaunchError(
                f"cannot reach Spacebot on port {self.port} ({error})", "see ./spacebot status"
            ) from None
        finally:
            connection.close()
        return _decode(answer.status, text)


def _decode(status: int, text: str) -> Any:
    try:
        found = json.loads(text) if text else None
    except ValueError:
        raise LaunchError(f"Spacebot answered {status} and no JSON", "see logs/web.log in the home") from None
    if status == 401:
        raise LaunchError("the launcher's token is not accepted", "./spacebot start makes a new one")
    if status >= 400:
        detail = found.get("detail") or found.get("title") if isinstance(found, dict) else text
        raise LaunchError(f"{detail or f'status {status}'}")
    return found
