"""The status block and the report blocks: what a channel knows of its children."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection
from django.utils import timezone

from agents.context.history import clean_name, indent
from agents.models import LIVE_STATES, Report, ReportState, Run, RunKind, RunState

WORDS = {
    RunState.QUEUED: "waiting for a place",
    RunState.RUNNING: "working",
    RunState.WAITING: "idle, waiting for input",
}


@dataclass(frozen=True)
class Activity:
    """Whether branches or workers are alive in a conversation, and whether results wait to be told."""

    has_live: bool
    has_untold: bool

    @property
    def is_quiet(self) -> bool:
        return not self.has_live and not self.has_untold


def look_around(conversation_id: int) -> Activity:
    """Ask in one query what most turns need to know only to find nothing."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select exists (select 1 from agents_run where conversation_id = %s and kind in ('branch', 'worker', 'colleague')"
            " and state in ('queued', 'running', 'waiting') and report_to_id is null),"
            " exists (select 1 from agents_report p join agents_run r on r.id = p.run_id"
            " where p.conversation_id = %s and p.state = 'pending' and r.report_to_id is null)",
            [conversation_id, conversation_id],
        )
        has_live, has_untold = cursor.fetchone()
    return Activity(has_live, has_untold)


def status_block(conversation_id: int, *, report_to: int | None = None) -> str:
    """Return the live branches and workers of a conversation, or those of one run, as text; empty without any."""
    rows = (
        Run.objects.filter(
            conversation_id=conversation_id,
            kind__in=["branch", "worker", "colleague"],
            state__in=LIVE_STATES,
            report_to=report_to,
        )
        .select_related("agent")
        .order_by("id")
        .only(
            "agent__name",
            "id",
            "kind",
            "state",
            "title",
            "status_text",
            "interactive",
            "created_at",
            "cancel_requested_at",
            "waiting_for",
        )[:20]
    )
    now = timezone.now()
    lines = []
    for run in rows:
        words = "being cancelled" if run.cancel_requested_at else WORDS[RunState(run.state)]
        if run.state == RunState.WAITING and run.waiting_for:
            words = (
                "waiting for an answer to its question"
                if run.waiting_for == "question"
                else "waiting for a person's approval"
            )
        age_s = int((now - run.created_at).total_seconds())
        kind = "interactive worker" if run.interactive else _who(run)
        progress = f"; last status: {indent(run.status_text)}" if run.status_text else ""
        lines.append(f"- {kind} #{run.pk} ({words}, started {age_s} s ago): {indent(run.title)}{progress}")
    return "[running now]\n" + "\n".join(lines) + "\n[/running now]" if lines else ""


def pending_reports(conversation_id: int, *, report_to: int | None = None) -> list[Report]:
    """Return what nobody has been told yet, of the conversation itself or of one run's children."""
    return list(
        Report.objects.filter(
            conversation_id=conversation_id, state=ReportState.PENDING, run__report_to=report_to
        )
        .select_related("run__agent")
        .order_by("id")[:20]
    )


def _who(run: Run) -> str:
    return f"colleague {clean_name(run.agent.name)}" if run.kind == RunKind.COLLEAGUE else run.kind


def render_reports(reports: Sequence[Report]) -> str:
    """Render results that nobody has been told yet; their text is data, so it is indented."""
    return "\n".join(
        f"[report {_who(report.run)} #{report.run_id} {report.outcome}]\n"
        f"  Task: {indent(report.run.title)}\n  {indent(report.text)}\n[/report]"
        for report in reports
    )
