"""Markdown to HTML that is safe to put into a page. Images are not loaded but become links, and a link shows where it leads."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any
from urllib.parse import urlsplit

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

_PLAIN = re.compile(r"[^\W_](?:[^\W_]|[ ,;:?!'’\"()%.…–-])*")
_LOOKS_MARKED_UP = re.compile(r"\A\d+[.)]|\s\Z")
_TAGS = {
    *(
        "p",
        "br",
        "hr",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "blockquote",
        "pre",
        "code",
        "em",
        "strong",
        "s",
        "a",
    ),
    *("ul", "ol", "li", "table", "thead", "tbody", "tr", "th", "td", "span"),
}
_ATTRIBUTES = {"a": {"href", "title", "target"}, "ol": {"start"}, "code": {"class"}, "span": {"class"}}
TARGET_CLASS = "link-target"
_LANGUAGE = re.compile(r"language-[\w+#.-]{1,40}")


def render(text: str) -> str:
    """Return the text as sanitised HTML. Short plain sentences take a shortcut that gives the same result."""
    if len(text) <= 400 and _PLAIN.fullmatch(text) and not _LOOKS_MARKED_UP.search(text):
        return f"<p>{text}</p>\n"
    return _render(text)


@lru_cache(maxsize=512)
def _render(text: str) -> str:
    return nh3.clean(
        _parser().render(text),
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        attribute_filter=_keep_attribute,
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener nofollow",
    )


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "linkify": False, "breaks": True})
    parser.enable(["table", "strikethrough"])
    parser.add_render_rule("image", _image_as_link)
    parser.add_render_rule("link_open", _link_in_new_tab)
    parser.add_render_rule("link_close", _link_with_target)
    return parser


def _keep_attribute(tag: str, name: str, value: str) -> str | None:
    if name == "class" and tag == "span":
        return value if value == TARGET_CLASS else None
    if name == "class" and not _LANGUAGE.fullmatch(value):
        return None
    return value


def _link_in_new_tab(renderer: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    tokens[index].attrSet("target", "_blank")
    return str(renderer.renderToken(tokens, index, options, env))


def _image_as_link(renderer: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    """Show an image as a link to it: loading it would tell a stranger who reads the conversation."""
    token = tokens[index]
    source = str(token.attrGet("src") or "")
    label = html.escape(token.content or source)
    inside_link = (
        sum(token.nesting for token in tokens[:index] if token.type in ("link_open", "link_close")) > 0
    )
    if inside_link:
        return label
    return f'<a href="{html.escape(source)}" target="_blank">{label}</a>{_target(source, token.content)}'


def _link_with_target(renderer: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    """Show after a link where it leads, unless its text is that address: a text may name any other."""
    opened = max(at for at in range(index) if tokens[at].type == "link_open")
    text = "".join(token.content for token in tokens[opened + 1 : index])
    return f"</a>{_target(str(tokens[opened].attrGet('href') or ''), text)}"


def _target(address: str, text: str) -> str:
    scheme, _, rest = address.partition(":")
    try:
        host = urlsplit(address).netloc.rpartition("@")[2] or rest.partition("?")[0]
    except ValueError:
        host = rest[:80]
    shown = text.strip().rstrip("/")
    if not host or scheme not in ("http", "https", "mailto"):
        return ""
    if shown in (address.rstrip("/"), rest.lstrip("/").rstrip("/"), host):
        return ""
    return f' <span class="{TARGET_CLASS}">({html.escape(host)})</span>'
