"""What the templates say often: icons, times, durations, money, faces. Built in, so nothing loads it."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from django import template
from django.conf import settings
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from tasks.schedules.words import show
from tasks.services.approvals import sight

register = template.Library()
ICONS = settings.BASE_DIR / "node_modules" / "lucide-static" / "icons"
HUES = 6


@lru_cache(maxsize=256)
def _shapes(name: str) -> str:
    """Return what is inside an icon's svg element; nothing when the icon set is not installed."""
    path = ICONS / f"{name}.svg"
    if not path.is_file():
        return ""
    text = path.read_text()
    body = text[text.index("<svg") :]
    return " ".join(body[body.index(">") + 1 : body.rindex("</svg>")].split())


@register.simple_tag
def icon(name: str, extra: str = "") -> SafeString:
    """Draw an icon of the set; it is decoration, the words beside it carry the meaning."""
    return format_html(
        '<svg class="icon {}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-linecap="round"'
        ' stroke-linejoin="round" aria-hidden="true" focusable="false">{}</svg>',
        extra,
        mark_safe(_shapes(name)),  # noqa: S308  our own package's files
    )


@register.simple_tag
def when(moment: datetime | None, empty: str = "never") -> SafeString | str:
    """Say how long ago; the browser adds the exact local time as a hint and keeps the words fresh."""
    if moment is None:
        return empty
    return format_html(
        '<time datetime="{}" data-when title="{} UTC">{}</time>',
        moment.isoformat(),
        moment.strftime("%Y-%m-%d %H:%M:%S"),
        ago(moment, now=timezone.now()),
    )


def ago(moment: datetime, *, now: datetime) -> str:
    seconds = (now - moment).total_seconds()
    for limit, size, unit in ((60, 1, ""), (3600, 60, "min"), (86_400, 3600, "h"), (604_800, 86_400, "d")):
        if abs(seconds) < limit:
            if not unit:
                return "now"
            count = int(abs(seconds) // size)
            return f"{count} {unit} ago" if seconds > 0 else f"in {count} {unit}"
    return f"{moment.day} {moment:%b}" if moment.year == now.year else f"{moment.day} {moment:%b %Y}"


@register.filter
def duration(milliseconds: float | None) -> str:
    """Say a length of time in the unit that fits: 85 ms, 4.2 s, 3 min 20 s."""
    if milliseconds is None:
        return "–"
    if milliseconds < 1000:
        return f"{milliseconds:.0f} ms"
    seconds = milliseconds / 1000
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


@register.filter
def seconds(count: int) -> str:
    """Say a limit: 25 min, 90 s, 2 h."""
    for size, unit in ((3600, "h"), (60, "min")):
        if count % size == 0:
            return f"{count // size} {unit}"
    return f"{count} s"


@register.filter
def moment(at: datetime, zone: str = "") -> str:
    """Write a time as it is in its zone, or in the one named."""
    return show(at.astimezone(ZoneInfo(zone)) if zone else at)


@register.filter
def usd(amount: Decimal | None) -> str:
    """Write a cost in dollars; one that is not known says so."""
    if amount is None:
        return "unknown"
    if amount == 0:
        return "$0.00"
    return f"${amount:,.2f}" if amount >= 1 else f"${amount:.4f}"


@register.filter
def lookup(found: Any, name: str) -> Any:
    """Return what a mapping holds under a name that is known only when the page is drawn."""
    return found[name]


@register.filter
def initials(name: str) -> str:
    words = [word for word in name.split() if word[0].isalnum()]
    if not words:
        return "?"
    return (words[0][0] + (words[-1][0] if len(words) > 1 else words[0][1:2])).upper()


@register.filter
def visible(text: str) -> str:
    """Show what a model wrote so that nothing of it is unseen."""
    return sight.visible(text)


@register.filter
def hue(key: object) -> str:
    """Give the same thing the same colour every time."""
    return f"hue-{sum(str(key).encode()) % HUES + 1}"


@register.filter
def pretty(value: Any) -> str:
    """Show JSON indented and text as it is."""
    return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False, default=str)


@register.filter
def tokens(count: int | None) -> str:
    return "–" if count is None else f"{count:,}".replace(",", "\u202f")
