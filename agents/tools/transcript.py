"""How a branch finds what was said, in any conversation in which all who listen take part."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone
from pydantic import Field

from agents.context.history import Line, render_line
from agents.tools.base import Arguments, Tool, ToolContext, ToolOutput
from agents.tools.heard import check_mode, listeners_of
from memory.recall import recall_transcript
from memory.recall.transcripts import Said


class TranscriptRecall(Arguments):
    query: str = Field(description="A few words; names and times help.", min_length=1, max_length=1_000)
    limit: int = Field(default=10, ge=1, le=30)
    since: datetime | None = Field(default=None, description="UTC.")
    until: datetime | None = None
    only_here: bool = False


def transcript_recall(context: ToolContext, arguments: TranscriptRecall) -> ToolOutput:
    run = context.run
    check_mode(run, "transcript_recall")
    found = recall_transcript(
        arguments.query,
        organization_id=run.organization_id,
        agent_id=run.agent_id,
        listeners=listeners_of(run),
        limit=arguments.limit,
        since=_aware(arguments.since),
        until=_aware(arguments.until),
        conversation_id=run.conversation_id if arguments.only_here else None,
    )
    if not found:
        return ToolOutput("Nothing that was said is found there.")
    return ToolOutput("\n".join(_render(said, here=run.conversation_id) for said in found))


def _render(said: Said, *, here: int | None) -> str:
    place = "here" if said.conversation_id == here else f"conversation {said.conversation_id}"
    line = Line(said.message_id, said.seq, True, said.author_name, said.text, said.said_at, False)
    return f"({place}, message {said.seq}) {render_line(line)}"


def _aware(moment: datetime | None) -> datetime | None:
    return moment if moment is None or timezone.is_aware(moment) else timezone.make_aware(moment)


TOOLS = (
    Tool(
        name="transcript_recall",
        description="Search all that was said, here and in other conversations of all the people here.",
        arguments=TranscriptRecall,
        function=transcript_recall,
        kinds=frozenset({"branch"}),
        transactional=False,
        repeatable=True,
    ),
)
