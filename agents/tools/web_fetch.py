"""Read a page of the web. Each hop is checked by the way out; what comes back is marked as data from outside."""

from __future__ import annotations

from pydantic import Field

from accounts.database import release_connection
from agents.egress.client import Fetched, fetch
from agents.egress.portable import is_portable, text_of
from agents.egress.reading import readable, title_of
from agents.egress.rules import checker_of
from agents.errors import ToolRetry
from agents.tools.base import Arguments, Tool, ToolContext, ToolOutput
from agents.tools.going_out import going_out
from agents.tools.outside import fenced
from llm.types import CancelToken

HOLDERS = frozenset({"worker", "branch"})
USUAL_CHARACTERS = 20_000
MOST_CHARACTERS = 40_000


class WebFetch(Arguments):
    url: str = Field(
        description="An address that begins with https:// or http://", min_length=8, max_length=8_000
    )
    first_character: int = Field(default=0, ge=0, description="Where to begin; to read on in a long page.")
    characters: int = Field(default=USUAL_CHARACTERS, ge=500, le=MOST_CHARACTERS)


def web_fetch(context: ToolContext, arguments: WebFetch) -> ToolOutput:
    run = context.run
    checker = checker_of(run)
    release_connection()
    with going_out(run):
        found = fetch(arguments.url, checker=checker, cancel=context.cancel)
        text, title = _read(found, context.cancel)
    if found.status >= 400:
        raise ToolRetry(f"{found.url} answered {found.status}.\n{fenced(text[:1_000], found.url)}")
    start = arguments.first_character
    part = text[start : start + arguments.characters]
    if start and not part:
        raise ToolRetry(f"The page has {len(text):,} characters; there is nothing at {start:,}.")
    source = f"{found.url} “{title}”" if title else found.url
    left = len(text) - start - len(part)
    more = f"\n[{left:,} more characters; go on at first_character={start + len(part)}]" if left else ""
    return ToolOutput(fenced(part or "(the page has no text)", source) + more)


def _read(found: Fetched, cancel: CancelToken) -> tuple[str, str]:
    """Return the text and the title of what was fetched."""
    content_type = found.headers.get("content-type", "")
    if is_portable(found.body, content_type):
        return text_of(found.body, cancel=cancel), ""
    return readable(found.body, content_type), title_of(found.body)


TOOLS = (
    Tool(
        name="web_fetch",
        description="Read a page, text or PDF of the web as Markdown. For pages that need a browser to show anything, use one.",
        arguments=WebFetch,
        function=web_fetch,
        kinds=HOLDERS,
        transactional=False,
        repeatable=True,
    ),
)
