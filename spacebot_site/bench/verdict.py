"""What must hold in a database when everything has settled, whatever was killed before.

`python -m spacebot_site.bench.verdict` prints, for the home in SPACEBOT_HOME, whether it has settled, what is
violated, and the ids of all messages. Orders and marks are those of `brain`.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spacebot_site.bench.brain import APPENDS, ORDER

if TYPE_CHECKING:
    from agents.models import Run
    from messaging.models import Message

ECHO = re.compile(r"\becho (m-[0-9a-z]+-\d+)\b")
TOLD = re.compile(r"\btold (m-[0-9a-z]+-\d+)\b")


ORDERED = ("branch", "worker")
"""The kinds that people ask for; summaries and memory keeping are started and told by nobody."""


def is_settled() -> bool:
    """Tell whether nothing is under way, unanswered or untold anywhere."""
    from agents.models import Report, ReportState, Run
    from messaging.models import Delivery, Handling, Message

    return not (
        Run.objects.filter(state__in=["queued", "running"]).exists()
        or Message.objects.filter(handling=Handling.UNANSWERED).exists()
        or Report.objects.exclude(state=ReportState.TOLD).exists()
        or Delivery.objects.filter(state__in=["pending", "sending"]).exists()
    )


def find_violations(workspaces: Path) -> list[str]:
    """Return every broken promise as a sentence; [] is what we want."""
    from agents.models import Run
    from messaging.models import Direction, Message

    messages = list(Message.objects.order_by("conversation_id", "seq"))
    inbound = [message for message in messages if message.direction == Direction.INBOUND]
    outbound = [message for message in messages if message.direction == Direction.OUTBOUND]
    runs = list(Run.objects.all())
    return [
        *_check_answers(inbound, outbound),
        *_check_order(messages),
        *_check_runs(runs),
        *_check_children(inbound, runs),
        *_check_reports(runs, outbound),
        *_check_calls(),
        *_check_deliveries(outbound),
        *_check_events(),
        *_check_files(workspaces),
    ]


def _check_answers(inbound: list[Message], outbound: list[Message]) -> Iterator[str]:
    """Each message is answered by one run, each run says one thing, and each mark is echoed once, in its place."""
    said = Counter(message.run_id for message in outbound)
    echoes = Counter(
        (message.conversation_id, mark) for message in outbound for mark in ECHO.findall(message.text)
    )
    for message in inbound:
        who = f"message {message.pk} in conversation {message.conversation_id}"
        if message.handling != "answered" or message.handled_by_run_id is None:
            yield f"{who} is {message.handling} ({message.handling_reason})"
        elif said[message.handled_by_run_id] != 1:
            yield f"{who}: its run {message.handled_by_run_id} said {said[message.handled_by_run_id]} things"
        for _, mark in ORDER.findall(message.text):
            if (count := echoes.pop((message.conversation_id, mark), 0)) != 1:
                yield f"{who}: {mark} was echoed {count} times ({message.handling_reason or 'no reason'})"
    for (conversation, mark), count in echoes.items():
        yield f"{mark} was echoed {count} times in conversation {conversation}, where nobody said it"
    for run_id, count in said.items():
        if count > 1:
            yield f"run {run_id} said {count} things"


def _check_order(messages: list[Message]) -> Iterator[str]:
    sequences: dict[int, list[int]] = {}
    for message in messages:
        sequences.setdefault(message.conversation_id, []).append(message.seq)
    for conversation, sequence in sequences.items():
        if sequence != list(range(1, len(sequence) + 1)):
            yield f"the sequence of conversation {conversation} has holes or doubles"


def _check_runs(runs: list[Run]) -> Iterator[str]:
    for run in runs:
        if run.state in ("queued", "running"):
            yield f"{run} has not ended"
        elif run.state != "succeeded":
            yield f"{run} ended badly: {run.failure or run.cancel_reason}, recovered {run.recoveries} times"


def _check_children(inbound: list[Message], runs: list[Run]) -> Iterator[str]:
    """Each order to think or work started one run."""
    started = Counter(run.title for run in runs if run.kind in ORDERED)
    ordered = Counter(
        f"{verb} {mark}" for message in inbound for verb, mark in ORDER.findall(message.text) if verb != "say"
    )
    for title in started.keys() | ordered.keys():
        if started[title] != ordered[title]:
            yield f"{title!r} was ordered {ordered[title]} times and started {started[title]} times"


def _check_reports(runs: list[Run], outbound: list[Message]) -> Iterator[str]:
    from agents.models import Report

    told = Counter(mark for message in outbound for mark in TOLD.findall(message.text))
    reports = Counter[int]()
    for report in Report.objects.select_related("run"):
        reports[report.run_id] += 1
        if report.state != "told" or report.told_by_id is None:
            yield f"{report} is {report.state}"
        mark = report.run.title.partition(" ")[2]
        if told[mark] != 1:
            yield f"{report}: {mark} was told {told[mark]} times"
    for run in runs:
        if run.kind in ORDERED and run.state == "succeeded" and reports[run.pk] != 1:
            yield f"{run} has {reports[run.pk]} reports"


def _check_calls() -> Iterator[str]:
    from agents.models import ToolCall

    for call in ToolCall.objects.filter(state="running"):
        yield f"call {call.pk} of {call.name} has no result"


def _check_deliveries(outbound: list[Message]) -> Iterator[str]:
    from messaging.models import Delivery

    chunks: dict[int, list[int]] = {}
    for delivery in Delivery.objects.order_by("chunk"):
        chunks.setdefault(delivery.message_id, []).append(delivery.chunk)
        if delivery.state not in ("delivered", "failed") or delivery.finished_at is None:
            yield f"delivery {delivery.pk} is {delivery.state}"
    for message in outbound:
        found = chunks.get(message.pk, [])
        if not found or found != list(range(len(found))):
            yield f"message {message.pk} has the delivery chunks {found}"


def _check_events() -> Iterator[str]:
    """Events are numbered without holes, and every message has one."""
    from messaging.models import Message
    from realtime.models import Event

    numbers: dict[int, list[int]] = {}
    created = Counter[int]()
    for event in Event.objects.order_by("organization_id", "number"):
        numbers.setdefault(event.organization_id, []).append(event.number)
        if event.kind == "message.created":
            created[event.payload["message"]["id"]] += 1
    for organization, found in numbers.items():
        if found != list(range(found[0], found[0] + len(found))):
            yield f"the events of organization {organization} have holes or doubles"
    for message_id in Message.objects.values_list("id", flat=True):
        if created[message_id] != 1:
            yield f"message {message_id} was told of in {created[message_id]} events"


def _check_files(workspaces: Path) -> Iterator[str]:
    """What must not be repeated, appending a line, happened at most once; what is written whole is whole."""
    for log in workspaces.glob("*/*/*/*.log"):
        lines = Counter(log.read_text().splitlines())
        known = {f"line {log.stem} {number}" for number in range(APPENDS)}
        for line, count in lines.items():
            if count > 1 or line not in known:
                yield f"{log.name} holds {line!r} {count} times"
    for whole in workspaces.glob("*/*/*/*.txt"):
        if whole.read_text() != f"whole {whole.stem}\n":
            yield f"{whole.name} is not whole"


def main() -> None:
    import django

    django.setup()
    from messaging.models import Direction, Message

    inbound = Message.objects.filter(direction=Direction.INBOUND).values_list("external_id", flat=True)
    settled = is_settled()
    found: dict[str, Any] = {
        "settled": settled,
        "violations": find_violations(Path(os.environ["SPACEBOT_HOME"]) / "workspaces") if settled else [],
        "marks": list(inbound),
        "message_ids": list(Message.objects.values_list("id", flat=True)),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
