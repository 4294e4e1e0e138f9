"""Turn what was fetched into text that a model can read."""

from __future__ import annotations

import codecs
import json
import re
from email.message import Message

from agents.egress.errors import Unreachable

MOST_MARKUP = 2_000_000
_META_CHARSET = re.compile(rb"""<meta[^>]{0,200}charset\s*=\s*["']?\s*([A-Za-z0-9_-]{2,40})""", re.IGNORECASE)
_BLANK_LINES = re.compile(r"\n[ \t]*(?:\n[ \t]*)+\n")
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\U000e0000-\U000e007f]")
LEFT_OUT = ["script", "style", "noscript", "template", "svg", "canvas", "iframe", "object", "head", "nav"]
TEXT_TYPES = ("text/", "application/json", "application/xml", "application/xhtml", "application/javascript")


def readable(body: bytes, content_type: str) -> str:
    """Return Markdown for a page and text for text. Raises Unreachable for what is neither."""
    kind, charset = _parse(content_type)
    is_page = kind in ("text/html", "application/xhtml+xml") or (not kind and _looks_like_page(body))
    if not is_page and not (kind.startswith(TEXT_TYPES) or kind.endswith(("+json", "+xml")) or not kind):
        raise Unreachable(f"it is {kind[:60]}, not a page or a text")
    if not is_page and b"\0" in body[:4_000]:
        raise Unreachable("it is not a text")
    text = _decoded(body, charset, is_page=is_page)
    if kind.endswith("json"):
        text = _pretty(text)
    return visible(_markdown(text) if is_page else text)


def visible(text: str) -> str:
    """Return a text without characters that people do not see."""
    return _INVISIBLE.sub("", text).strip()


def title_of(body: bytes) -> str:
    from html import unescape

    found = re.search(rb"<title[^>]{0,200}>([^<]{1,400})", body[:200_000], re.IGNORECASE)
    return " ".join(unescape(found[1].decode(errors="replace")).split())[:200] if found else ""


def _markdown(markup: str) -> str:
    from bs4 import BeautifulSoup
    from markdownify import MarkdownConverter

    soup = BeautifulSoup(markup[:MOST_MARKUP], "html.parser")
    try:
        for tag in soup(LEFT_OUT):
            tag.decompose()
        for tag in soup.select("[hidden], [aria-hidden=true]"):
            tag.decompose()
        text = MarkdownConverter(heading_style="ATX", strip=["img"], bullets="-").convert_soup(soup)
    except RecursionError:
        text = "\n".join(soup.stripped_strings)
    return _BLANK_LINES.sub("\n\n", str(text))


def _decoded(body: bytes, charset: str, *, is_page: bool) -> str:
    if not charset and is_page and (found := _META_CHARSET.search(body[:4_000])):
        charset = found[1].decode()
    try:
        return body.decode(codecs.lookup(charset or "utf-8").name, errors="replace")
    except (LookupError, ValueError):
        return body.decode("utf-8", errors="replace")


def _pretty(text: str) -> str:
    try:
        return json.dumps(json.loads(text), indent=1, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text


def _parse(content_type: str) -> tuple[str, str]:
    message = Message()
    message["content-type"] = content_type or ""
    charset = message.get_param("charset")
    kind = content_type.partition(";")[0].strip().lower()
    return kind, charset if isinstance(charset, str) else ""


def _looks_like_page(body: bytes) -> bool:
    return body.lstrip()[:200].lower().startswith((b"<!doctype html", b"<html"))
