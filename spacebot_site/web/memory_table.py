"""What agents know, as a table: searched, filtered, sorted, and continued where it ended."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, cast

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_GET

from accounts.actor import Actor
from accounts.queries import list_people
from agents.queries import list_agents
from memory import queries
from memory.ingestion.queries import files_of
from memory.listing import SORTS, State, Wanted, list_memories
from memory.models import Audience, MemoryType, Source
from spacebot_site.web.door import page
from spacebot_site.web.forms import number
from spacebot_site.web.memory_words import describe

PAGE = 40
STATES = {"": "In use", "forgotten": "Forgotten", "superseded": "Replaced", "all": "Everything"}
SORT_WORDS = {
    "": "Newest first",
    "oldest": "Oldest first",
    "importance": "Heaviest first",
    "used": "Most used first",
}
AUDIENCES = (
    (Audience.ORGANIZATION, "Everyone"),
    (Audience.CONVERSATION, "A conversation"),
    (Audience.PERSON, "Only me"),
)
SHOWN_FIRST = ("q", "type", "state", "sort")
FOLDED = ("audience", "agent", "person", "source", "since", "until", "file", "pinned")


@require_GET
@page()
def index(request: HttpRequest, actor: Actor) -> HttpResponse:
    asked = {name: request.GET.get(name, "").strip()[:200] for name in (*SHOWN_FIRST, *FOLDED)}
    sort = asked["sort"] if asked["sort"] in SORTS else "newest"
    after_id = number(request.GET.get("after")) or None
    found = list_memories(actor, _wanted(asked), sort=sort, after_id=after_id, limit=PAGE + 1)
    shown: dict[str, Any] = {
        "rows": describe(actor, found[:PAGE]),
        "next_page": _continued(request.GET, found[PAGE - 1].pk) if len(found) > PAGE else "",
    }
    if request.GET.get("part") == "rows":
        return render(request, "memory/rows.html", shown)
    return render(
        request,
        "memory/index.html",
        {
            **shown,
            "asked": asked,
            "is_filtered": any(asked[name] for name in asked if name != "sort"),
            "folded": sum(bool(asked[name]) for name in FOLDED),
            "is_continued": after_id is not None,
            "types": MemoryType.choices,
            "audiences": AUDIENCES,
            "sources": Source.choices,
            "states": STATES.items(),
            "sorts": SORT_WORDS.items(),
            "agents": list_agents(actor),
            "people": list_people(actor).exclude(user=None),
            "file": files_of(actor).filter(pk=number(asked["file"])).first() if asked["file"] else None,
            "waiting": len(queries.list_inbox(actor)),
        },
    )


def _wanted(asked: dict[str, str]) -> Wanted:
    """Read the filters; one that makes no sense filters nothing."""
    until = _day(asked["until"])
    return Wanted(
        search=asked["q"],
        types=[asked["type"]] if asked["type"] in MemoryType.values else (),
        audience=asked["audience"] if asked["audience"] in Audience.values else "",
        source=asked["source"] if asked["source"] in Source.values else "",
        agent_id=number(asked["agent"]) or None,
        person_id=number(asked["person"]) or None,
        file_id=number(asked["file"]) or None,
        pinned=True if asked["pinned"] else None,
        state=cast(State, asked["state"] if asked["state"] in STATES and asked["state"] else "live"),
        since=_day(asked["since"]),
        until=until + timedelta(days=1) if until else None,
    )


def _day(text: str) -> datetime | None:
    """Return when a day begins, in UTC."""
    try:
        day = parse_date(text)
        return datetime(day.year, day.month, day.day, tzinfo=UTC) if day else None
    except ValueError:
        return None


def _continued(asked: QueryDict, after_id: int) -> str:
    query = asked.copy()
    query.pop("part", None)
    query["after"] = str(after_id)
    return query.urlencode()
