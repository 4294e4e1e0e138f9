"""Contradictions and near-duplicates, which a person decides."""

from __future__ import annotations

from typing import cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from accounts.actor import Actor
from memory import queries
from memory.services.inbox import Resolution, resolve
from spacebot_site.web.door import page
from spacebot_site.web.forms import attempt, number
from spacebot_site.web.memory_words import describe

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
        attempt(
            request,
            lambda: resolve(actor, item_id, resolution=cast(Resolution, resolution), content=content),
            DONE.get(resolution, ""),
        )
        return redirect("memory_inbox")
    items = queries.list_inbox(actor)
    rows = {
        row.memory.pk: row
        for row in describe(actor, [m for item in items for m in (item.first, item.second)])
    }
    return render(
        request,
        "memory/inbox.html",
        {
            "pairs": [
                {"item": item, "sides": [("first", rows[item.first_id]), ("second", rows[item.second_id])],
                 "may_decide": rows[item.first_id].may_change and rows[item.second_id].may_change,
                 "may_merge": item.first.type == item.second.type and item.first.reach == item.second.reach}
                for item in items
            ],
            "waiting": len(items),
        },
    )  # fmt: skip
