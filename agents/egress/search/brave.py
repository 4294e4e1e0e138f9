"""Brave's web search."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import urlencode

from agents.egress.checking import Checker
from agents.egress.client import Fetched, fetch
from agents.egress.limits import FetchLimits
from agents.egress.search.base import Hit, Query, SearchRefused, hits_in, json_of
from llm.types import CancelToken

PATH = "/res/v1/web/search"
LIMITS = FetchLimits(redirects=0, total_s=20, body_bytes=2_000_000)
FRESH = {"day": "pd", "week": "pw", "month": "pm", "year": "py"}


@dataclass(frozen=True)
class Brave:
    name: ClassVar[str] = "Brave"

    key: str
    base_url: str
    checker: Checker

    def search(self, query: Query, *, cancel: CancelToken | None = None) -> list[Hit]:
        asked = {
            "q": query.text,
            "count": str(query.count),
            "freshness": FRESH.get(query.freshness, ""),
            "country": query.country.upper(),
            "search_lang": query.language.lower(),
        }
        url = f"{self.base_url.rstrip('/')}{PATH}?{urlencode({k: v for k, v in asked.items() if v})}"
        headers = {"x-subscription-token": self.key, "accept": "application/json"}
        answer = fetch(url, checker=self.checker, cancel=cancel, limits=LIMITS, headers=headers)
        if answer.status != 200:
            raise SearchRefused(_why(answer))
        web = json_of(answer, self.name).get("web")
        rows = web.get("results") if isinstance(web, dict) else []
        return hits_in(rows, count=query.count, text="description", age="age")

    def __repr__(self) -> str:
        return f"Brave({self.base_url})"


def _why(answer: Fetched) -> str:
    if answer.status == 429:
        seconds = (
            answer.headers.get("retry-after") or answer.headers.get("x-ratelimit-reset", "").split(",")[0]
        )
        wait = f" Try again in {seconds.strip()} s." if seconds.strip().isdigit() else " Try again later."
        return f"Brave's limit of requests is used up.{wait}"
    if answer.status in (401, 403):
        return "Brave does not accept the stored BRAVE_SEARCH_API_KEY. An administrator has to replace it."
    if answer.status == 422:
        return "Brave does not accept the search: mend the words, the country or the language."
    return f"Brave answered {answer.status}."
