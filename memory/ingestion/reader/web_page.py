"""HTML: what a reader would see, without scripts and styles."""

from __future__ import annotations

from html.parser import HTMLParser

from memory.ingestion.reader.pages import Budget, Page, Pieces
from memory.ingestion.reader.plain import decode

UNSEEN = frozenset({"script", "style", "noscript", "template", "svg"})
BLOCKS = frozenset({
    "address", "article", "aside", "blockquote", "br", "dd", "div", "dl", "dt", "fieldset", "figure", "footer", "form",
    "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "option", "p", "pre", "section",
    "table", "title", "tr", "ul",
})  # fmt: skip


class _Seen(HTMLParser):
    def __init__(self, budget: Budget) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._budget = budget
        self._unseen = ""
        self._depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._unseen:
            self._depth += tag == self._unseen
        elif tag in UNSEEN:
            self._unseen, self._depth = tag, 1
        elif tag in BLOCKS:
            self._add("\n")
        elif tag in ("td", "th"):
            self._add("\t")

    def handle_endtag(self, tag: str) -> None:
        if self._unseen:
            self._depth -= tag == self._unseen
            if not self._depth:
                self._unseen = ""
        elif tag in BLOCKS:
            self._add("\n")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self._add(data)

    def _add(self, text: str) -> None:
        self.parts.append(self._budget.spend(text))


def read_web_page(data: bytes, budget: Budget) -> Pieces:
    seen = _Seen(budget)
    seen.feed(decode(data))
    seen.close()
    yield Page(None, "".join(seen.parts))
