"""A server over HTTP that wants OAuth: the library's own, which agrees at once where a person would be asked.

`python signed_in.py` takes a port, says which, and serves at /mcp; it takes who comes before it is ready as well.
"""

from __future__ import annotations

import socket
import time
from secrets import token_hex
from typing import Any

import uvicorn
from mcp.server.auth.provider import (
    AccessToken,
    AuthorizationCode,
    AuthorizationParams,
    RefreshToken,
    construct_redirect_uri,
)
from mcp.server.auth.settings import AuthSettings, ClientRegistrationOptions
from mcp.server.mcpserver import MCPServer
from mcp.shared.auth import OAuthToken

SECONDS = 3_600
LISTENER = socket.create_server(("127.0.0.1", 0))
PORT = LISTENER.getsockname()[1]
ADDRESS = f"http://127.0.0.1:{PORT}"


class Provider:
    def __init__(self) -> None:
        self.clients: dict[str, Any] = {}
        self.codes: dict[str, AuthorizationCode] = {}
        self.access: dict[str, AccessToken] = {}
        self.refresh: dict[str, RefreshToken] = {}
        self.renewed = 0

    async def get_client(self, client_id: str) -> Any:
        return self.clients.get(client_id)

    async def register_client(self, client_info: Any) -> None:
        self.clients[client_info.client_id] = client_info

    async def authorize(self, client: Any, params: AuthorizationParams) -> str:
        code = token_hex(8)
        self.codes[code] = AuthorizationCode(
            code=code, scopes=[], expires_at=time.time() + 60, client_id=client.client_id, code_challenge=params.code_challenge,
            redirect_uri=params.redirect_uri, redirect_uri_provided_explicitly=True, resource=params.resource,
        )  # fmt: skip
        return construct_redirect_uri(str(params.redirect_uri), code=code, state=params.state)

    async def load_authorization_code(self, client: Any, authorization_code: str) -> AuthorizationCode | None:
        return self.codes.get(authorization_code)

    async def exchange_authorization_code(
        self, client: Any, authorization_code: AuthorizationCode
    ) -> OAuthToken:
        del self.codes[authorization_code.code]
        return self._tokens(client.client_id)

    async def load_refresh_token(self, client: Any, refresh_token: str) -> RefreshToken | None:
        return self.refresh.get(refresh_token)

    async def exchange_refresh_token(
        self, client: Any, refresh_token: RefreshToken, scopes: list[str]
    ) -> OAuthToken:
        """A strict one: a renewal token counts once, and what it renews counts no more."""
        del self.refresh[refresh_token.token]
        self.access.clear()
        self.renewed += 1
        return self._tokens(client.client_id)

    async def load_access_token(self, token: str) -> AccessToken | None:
        return self.access.get(token)

    async def revoke_token(self, token: Any) -> None:
        self.access.clear()
        self.refresh.clear()

    def _tokens(self, client_id: str) -> OAuthToken:
        access, refresh = token_hex(16), token_hex(16)
        until = int(time.time()) + SECONDS
        self.access[access] = AccessToken(token=access, client_id=client_id, scopes=[], expires_at=until)
        self.refresh[refresh] = RefreshToken(token=refresh, client_id=client_id, scopes=[])
        return OAuthToken(access_token=access, refresh_token=refresh, expires_in=SECONDS)


provider = Provider()
server = MCPServer(
    "signed in",
    auth_server_provider=provider,
    auth=AuthSettings(
        issuer_url=ADDRESS,
        resource_server_url=f"{ADDRESS}/mcp",
        validate_token_resource=False,
        client_registration_options=ClientRegistrationOptions(enabled=True),
    ),
)


@server.tool()
def renewals() -> str:
    """Say how often a token was renewed."""
    return f"renewed {provider.renewed}"


@server.tool()
def sign_everybody_out() -> str:
    """Forget every token."""
    provider.access.clear()
    provider.refresh.clear()
    return "done"


print(PORT, flush=True)  # noqa: T201  what it was started for
uvicorn.Server(uvicorn.Config(server.streamable_http_app(), log_level="error")).run(sockets=[LISTENER])
