"""A SearXNG that somebody hosts. Its `json` format must be on in its settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import urlencode

from agents.egress.checking import Checker
from agents.egress.client import fetch
from agents.egress.limits import FetchLimits
from agents.egress.search.base import Hit, Query, SearchRefused, hits_in, json_of
from llm.types import CancelToken

LIMITS = FetchLimits(redirects=0, total_s=20, body_bytes=4_000_000)


@dataclass(frozen=True)
class SearXNG:
    """Knows a country only together with a language, and gives its own number of hits."""

    name: ClassVar[str] = "SearXNG"

    base_url: str
    checker: Checker

    def search(self, query: Query, *, cancel: CancelToken | None = None) -> list[Hit]:
        language = query.language.lower()
        if language and query.country:
            language = f"{language}-{query.country.upper()}"
        asked = {"q": query.text, "format": "json", "time_range": query.freshness, "language": language}
        url = f"{self.base_url.rstrip('/')}/search?{urlencode({k: v for k, v in asked.items() if v})}"
        answer = fetch(
            url, checker=self.checker, cancel=cancel, limits=LIMITS, headers={"accept": "application/json"}
        )
        if answer.status == 403:
            raise SearchRefused("SearXNG refuses: its settings have to list json among search.formats.")
        if answer.status == 429:
            raise SearchRefused("SearXNG's limit of requests is used up. Try again later.")
        if answer.status != 200:
            raise SearchRefused(f"SearXNG answered {answer.status}.")
        rows = json_of(answer, self.name).get("results")
        return hits_in(rows, count=query.count, text="content", age="publishedDate")
