"""Contradictions and near-duplicates, which a person decides."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from accounts.actor import Actor
from accounts.errors import AccountsError
from memory import queries
from memory.models import InboxItem
from memory.services.inbox import Resolution, resolve
from spacebot_site.web.door import page
from spacebot_site.web.forms import attempt, number
from spacebot_site.web.memory_words import describe
from spacebot_site.web.word_diff import diff

PAGE = 20
DONE = {
    "keep_first": "The first one stays.",
    "keep_second": "The second one stays.",
    "keep_both": "Both stay.",
    "merge": "Merged into one.",
}


@page()
def index(request: HttpRequest, actor: Actor) -> HttpResponse:
    if request.method == "POST":
        item_id, resolution = number(request.POST.get("item")), request.POST.get("resolution", "")
        content = request.POST.get("content", "")

        def decide() -> None:
            resolve(actor, item_id, resolution=cast(Resolution, resolution), content=content)

        if request.headers.get("HX-Request"):
            return _answer(request, actor, item_id, decide, DONE.get(resolution, ""))
        attempt(request, decide, DONE.get(resolution, ""))
        return redirect("memory_inbox")
    before = number(request.GET.get("before")) or None
    items = queries.list_inbox(actor, before_id=before, limit=PAGE + 1)
    return render(
        request,
        "memory/inbox.html",
        {
            "pairs": _pairs(actor, items[:PAGE]),
            "before": items[PAGE - 1].pk if len(items) > PAGE else "",
            "waiting": len(queries.list_inbox(actor)),
        },
    )


def _answer(
    request: HttpRequest, actor: Actor, item_id: int, decide: Callable[[], None], done: str
) -> HttpResponse:
    """Decide, and put the outcome where the pair stood: the list, and the reader's place in it, stay."""
    item = queries.get_inbox_item(actor, item_id)
    try:
        decide()
    except AccountsError as error:
        shown = {"pair": _pairs(actor, [item])[0], "problem": str(error)}
        return render(request, "memory/pair.html", shown)
    return render(
        request,
        "memory/pair_done.html",
        {"done": done, "item": item, "is_last": not queries.list_inbox(actor, limit=1)},
    )


def _pairs(actor: Actor, items: Sequence[InboxItem]) -> list[dict[str, Any]]:
    both = [memory for item in items for memory in (item.first, item.second)]
    rows = {row.memory.pk: row for row in describe(actor, both)}
    pairs = []
    for item in items:
        first, second = rows[item.first_id], rows[item.second_id]
        left, right = diff(item.first.content, item.second.content)
        pairs.append(
            {
                "item": item,
                "sides": [("first", first, left), ("second", second, right)],
                "may_decide": first.may_change and second.may_change,
                "may_merge": item.first.type == item.second.type and item.first.reach == item.second.reach,
                "percent": round(item.similarity * 100) if item.similarity else None,
                "newer": "first" if item.first.created_at > item.second.created_at else "second",
            }
        )
    return pairs
