"""Signing in to a server by OAuth: the library speaks the protocol, tokens lie encrypted, a person answers in a browser.

A session uses what is stored and refreshes it. Where that does not do, it asks for a person and ends: only `sign_in`,
started by an administrator, waits for one. What the browser brings back is handed over in the cache, since another process
than ours may be the one that the browser reaches.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from django.conf import settings

from agents.mcp import sign_in_flows as flows
from agents.mcp.loop import in_database
from agents.mcp.oauth_tokens import read_tokens, store_tokens
from agents.mcp.spec import Spec

if TYPE_CHECKING:
    from mcp.client.auth.oauth2 import OAuthClientProvider
    from mcp.shared.auth import AuthorizationCodeResult, OAuthClientInformationFull, OAuthToken

CALLBACK = "/settings/mcp/callback/"
LOOK_S = 0.5


class NeedsSignIn(Exception):
    def __init__(self) -> None:
        super().__init__("An administrator has to connect it.")


class Storage:
    """What is known of one server's sign-in, in one secret. It counts for the address it was made for."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.known: dict[str, Any] = {}
        self.provider: OAuthClientProvider | None = None

    async def load(self) -> None:
        text = await in_database(read_tokens, self.spec.organization_id, self.spec.server_id)
        known = json.loads(text) if text else {}
        self.known = known if known.get("url") == self.spec.url else {}

    async def get_tokens(self) -> OAuthToken | None:
        from mcp.shared.auth import OAuthToken

        return OAuthToken.model_validate(self.known["tokens"]) if "tokens" in self.known else None

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.known["tokens"] = tokens.model_dump(mode="json", exclude_none=True)
        self.known["expires_at"] = time.time() + tokens.expires_in if tokens.expires_in else None
        await self._save()

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        from mcp.shared.auth import OAuthClientInformationFull

        return (
            OAuthClientInformationFull.model_validate(self.known["client"])
            if "client" in self.known
            else None
        )

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.known["client"] = client_info.model_dump(mode="json", exclude_none=True)
        await self._save()

    async def _save(self) -> None:
        self.known["url"] = self.spec.url
        if self.provider is not None and (metadata := self.provider.context.oauth_metadata) is not None:
            self.known["metadata"] = metadata.model_dump(mode="json", exclude_none=True)
        text = json.dumps(self.known)
        await in_database(store_tokens, self.spec.organization_id, self.spec.server_id, text)


async def stored_sign_in(spec: Spec, *, on_sign_in: Callable[[], None]) -> OAuthClientProvider:
    """Return what signs requests with what is stored; `on_sign_in` hears when a person is needed."""

    async def refuse(url: str = "") -> Any:
        on_sign_in()
        raise NeedsSignIn

    return await _provider(spec, refuse, refuse)


async def fresh_sign_in(spec: Spec, user_id: int) -> OAuthClientProvider:
    """Return what signs requests after a person has agreed in a browser, for which it waits."""
    state = ""

    async def ask(url: str) -> None:
        nonlocal state
        state = await asyncio.to_thread(flows.begin, spec, user_id, url)

    async def wait() -> AuthorizationCodeResult:
        from mcp.shared.auth import AuthorizationCodeResult

        until = time.monotonic() + flows.ANSWER_WITHIN_S
        while time.monotonic() < until:
            answer = await asyncio.to_thread(flows.take_answer, state)
            if answer is not None:
                return AuthorizationCodeResult(code=answer["code"], state=state, iss=answer["iss"])
            await asyncio.sleep(LOOK_S)
        raise NeedsSignIn

    return await _provider(spec, ask, wait)


async def _provider(
    spec: Spec, redirect: Callable[[str], Awaitable[None]], callback: Callable[[], Awaitable[Any]]
) -> OAuthClientProvider:
    from mcp.shared.auth import OAuthClientMetadata, OAuthMetadata
    from pydantic import AnyUrl

    from agents.mcp.oauth_renewal import Renewing

    storage = Storage(spec)
    await storage.load()
    metadata = OAuthClientMetadata(
        client_name="Spacebot",
        redirect_uris=[AnyUrl(f"{settings.PUBLIC_URL}{CALLBACK}")],
        grant_types=["authorization_code", "refresh_token"],
    )
    provider = Renewing(spec.url, metadata, storage, redirect, callback)
    provider.kept = storage
    # The library remembers neither when a stored token ends nor where to renew it.
    provider.context.token_expiry_time = storage.known.get("expires_at")
    if "metadata" in storage.known:
        provider.context.oauth_metadata = OAuthMetadata.model_validate(storage.known["metadata"])
    storage.provider = provider
    return provider
