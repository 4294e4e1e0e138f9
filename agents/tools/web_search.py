"""Search the web with the provider that is configured. What comes back is marked as data from outside."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from accounts.database import release_connection
from agents.egress.search.base import Query, SearchRefused
from agents.egress.search.choosing import has_provider, provider_for
from agents.errors import ToolFailed
from agents.models import Run
from agents.tools.base import Arguments, Need, Tool, ToolContext, ToolOutput
from agents.tools.going_out import going_out
from agents.tools.outside import fenced
from secret_store.errors import KeyUnavailable

HOLDERS = frozenset({"worker", "branch"})
UNCONFIGURED = (
    "no search provider is configured. An administrator can store BRAVE_SEARCH_API_KEY as a secret, or set"
    " SPACEBOT_SEARXNG_URL. Say so, or read an address you know with web_fetch"
)


class WebSearch(Arguments):
    query: str = Field(min_length=1, max_length=400)
    count: int = Field(default=5, ge=1, le=20)
    freshness: Literal["", "day", "week", "month", "year"] = Field(
        default="", description="Not older than this."
    )
    country: str = Field(default="", pattern="^([A-Za-z]{2})?$", description="Two letters, such as DE.")
    language: str = Field(default="", pattern="^([A-Za-z]{2})?$", description="Two letters, such as en.")


def web_search(context: ToolContext, arguments: WebSearch) -> ToolOutput:
    run = context.run
    try:
        provider = provider_for(run.organization_id, run.agent_id)
    except KeyUnavailable as error:
        raise ToolFailed(str(error)) from None
    if provider is None:
        raise ToolFailed(UNCONFIGURED)
    release_connection()
    query = Query(
        arguments.query, arguments.count, arguments.freshness, arguments.country, arguments.language
    )
    with going_out(run):
        try:
            hits = provider.search(query, cancel=context.cancel)
        except SearchRefused as error:
            raise ToolFailed(str(error)) from None
    if not hits:
        return ToolOutput("Nothing was found. Try other words.")
    lines = [
        f"{place}. {hit.title}{f' ({hit.age})' if hit.age else ''}\n{hit.url}\n{hit.text}"
        for place, hit in enumerate(hits, 1)
    ]
    return ToolOutput(fenced("\n\n".join(lines), f"{provider.name}: “{arguments.query}”"))


def _lacking(run: Run) -> str:
    return "" if has_provider(run) else UNCONFIGURED


TOOLS = (
    Tool(
        name="web_search",
        description="Search the web; read what looks right with web_fetch.",
        arguments=WebSearch,
        function=web_search,
        kinds=HOLDERS,
        transactional=False,
        repeatable=True,
        need=Need("a search provider", _lacking),
    ),
)
