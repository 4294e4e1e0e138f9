"""Whether what a person is shown of a request says what would run: read from the page, as its text."""

from __future__ import annotations

import html
import re
import unicodedata

from django.template.loader import render_to_string

from accounts.actor import Actor
from spacebot_site.web.approval_words import describe
from tasks.models import Approval

UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\u00ad") | {
    chr(code) for code in (*range(0xFE00, 0xFE10), *range(0xE0000, 0xE0200))
}
PART = re.compile(r'<div class="approval-part">.*?</div></div>', re.DOTALL)
ROOM = re.compile(r"\n{12}| {400}")
"""So much emptiness hides what comes after it."""


def deceives(approval: Approval, reader: Actor) -> list[str]:
    """Return a sentence for each way in which the pages would hide what the request is."""
    page = "".join(render_to_string("approvals/part.html", {"part": part}) for part in approval.preview)
    shown = "\n".join(html.unescape(re.sub(r"<[^>]*>", "", part)) for part in PART.findall(page))
    command = approval.action["arguments"]["command"]
    found = [f"U+{ord(each):04X} cannot be seen" for each in sorted(set(shown)) if _is_unseen(each)]
    if ROOM.search(shown):
        found.append("there is room to hide in")
    if "taken" in command and "taken" not in shown:
        found.append("it is cut")
    if shown.count("\nfolder: ") > 1:
        found.append("it can be taken for other arguments")
    (row,) = describe(reader, [approval], {})
    listed = render_to_string("approvals/row.html", {"row": row, "here": "/approvals/"})
    if _offered(listed, approval) and not _is_told(listed, approval):
        found.append("the list offers to approve it without saying what it is")
    return found


def _is_unseen(character: str) -> bool:
    if character in "\n\t":
        return False
    return character in UNSEEN or unicodedata.category(character) in ("Cc", "Cf", "Co", "Cn", "Zl", "Zp")


def _offered(page: str, approval: Approval) -> bool:
    return f'data-decide="{approval.pk}"' in page


def _is_told(page: str, approval: Approval) -> bool:
    """Say whether the line in the list holds the whole of what the call is."""
    arguments = approval.action["arguments"]
    others = {name: value for name, value in arguments.items() if name not in ("command", "timeout_s")}
    return arguments["command"] in html.unescape(page) and not any(others.values())
