"""What the offline stand-in answers. The fake servers answer by the same rules, in another voice."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from llm.clients.offline_looks import LOOKS, find_look
from llm.clients.offline_schedule import find_schedule_request
from llm.clients.offline_text import (
    ChildReport,
    find_choice,
    find_file_request,
    find_job,
    find_lines,
    find_proposal,
    find_ready_tasks,
    find_reports,
    find_time,
    find_time_request,
    find_topic,
    plain_text,
)
from llm.types import AssistantMessage, ChatMessage, ToolResult, UserMessage

HOW_TO_CONFIGURE = (
    "No model is configured, so these are built-in rules answering: add one under Settings → Models, "
    "or start with OPENAI_API_KEY or ANTHROPIC_API_KEY set."
)
ABILITIES = (
    'I can say hello, "think about" something in a branch, have a worker "write a file NAME saying TEXT", ask you'
    ' ("ask me: tea or coffee?"), propose a task when you say "task: write a file NAME saying TEXT", and plan:'
    ' "every minute write the time to NAME".'
)
_GREETING = re.compile(r"^\W*(hi|hey|hello|hallo|good (morning|afternoon|evening)|moin|servus|yo)\b", re.I)
_THANKS = re.compile(r"^\W*(thanks|thank you|thx|danke)\b", re.I)

Call = tuple[str, dict[str, Any]]


@dataclass(frozen=True)
class Answer:
    """Text to say, or tools to call in order."""

    text: str = ""
    calls: tuple[Call, ...] = ()


@dataclass(frozen=True)
class Seen:
    """What the rules look at in a request, whatever its wire format was.

    With `echo` the rules repeat what was said instead of explaining themselves."""

    tools: frozenset[str]
    messages: tuple[ChatMessage, ...] = ()
    echo: bool = False

    @property
    def last_user(self) -> str:
        return next((m.text for m in reversed(self.messages) if isinstance(m, UserMessage)), "")

    @property
    def results(self) -> list[ToolResult]:
        """Return the tool results after the last user message."""
        found: list[ToolResult] = []
        for message in reversed(self.messages):
            if isinstance(message, UserMessage):
                break
            if isinstance(message, ToolResult):
                found.append(message)
        return found[::-1]

    @property
    def heard(self) -> str:
        """Return all that people said since the last reply, which stands in the history without a tool call."""
        texts: list[str] = []
        for message in reversed(self.messages):
            if isinstance(message, AssistantMessage) and not message.tool_calls:
                break
            if isinstance(message, UserMessage):
                texts.append(plain_text(message.text))
        return "\n".join(text for text in reversed(texts) if text)

    @property
    def is_first_reply(self) -> bool:
        return not any(isinstance(m, AssistantMessage) and not m.tool_calls for m in self.messages)


def answer(seen: Seen) -> Answer:
    """Decide what to say or to call. The tools on offer tell which kind of process asks."""
    if "set_outcome" in seen.tools:
        return _as_worker(seen)
    if "conclude" in seen.tools:
        return _as_branch(seen)
    if "system_overview" in seen.tools:
        return _as_cortex(seen)
    if "finish" in seen.tools:
        return _as_itself(seen)
    if "wait" in seen.tools:
        return _as_job(seen)
    if "reply" in seen.tools:
        return _as_channel(seen)
    return Answer(text=_talk(seen, seen.heard))


def to_json(arguments: dict[str, Any]) -> str:
    return json.dumps(arguments, ensure_ascii=False)


def _as_channel(seen: Seen) -> Answer:
    done = {result.name for result in seen.results if not result.is_error}
    if done & {"reply", "skip"}:
        return Answer(calls=(("skip", {"reason": "already answered"}),))
    if any(result.name == "reply" for result in seen.results):
        return Answer(text=_talk(seen, seen.heard))
    if planned := [result for result in seen.results if result.name == "schedule_create"]:
        return Answer(calls=(("reply", {"content": _notice_first(seen, planned[-1].text)}),))
    if (
        plan := find_schedule_request("\n".join(find_lines(seen.last_user)))
    ) and "schedule_create" in seen.tools:
        phrase, prompt = plan
        return Answer(calls=(("schedule_create", {"prompt": prompt, "phrase": phrase}),))
    if (
        (choice := find_choice("\n".join(find_lines(seen.last_user))))
        and "ask" in seen.tools
        and not seen.results
    ):
        question, options = choice
        return Answer(
            calls=(("ask", {"question": question, "options": [{"label": each} for each in options]}),)
        )
    reports, said = find_reports(seen.last_user), "\n".join(find_lines(seen.last_user))
    parts = [_relay(report) for report in reports]
    calls, announcement = _delegate(seen, said) if not done else ((), "")
    if announcement:
        parts.append(_notice_first(seen, announcement))
    elif said or not reports:
        parts.append(_talk(seen, seen.heard))
    return Answer(calls=(*calls, ("reply", {"content": "\n\n".join(parts)})))


def _delegate(seen: Seen, said: str) -> tuple[tuple[Call, ...], str]:
    """Return the call that hands the work to a child, and what to say meanwhile."""
    wanted, topic = _wanted_file(seen, said), find_topic(said)
    if find_proposal(said) is not None and "branch" in seen.tools:
        return (("branch", {"task": said}),), "I am proposing that as a task."
    if wanted is not None and "spawn_worker" in seen.tools:
        task = f"Write a file {wanted[0]} saying {wanted[1]}" if find_time_request(said) else said
        return (("spawn_worker", {"task": task, "interactive": False}),), f"A worker is writing {wanted[0]}."
    if topic is not None and "branch" in seen.tools:
        return (("branch", {"task": topic}),), f"Let me think about {topic}"
    return (), ""


def _as_cortex(seen: Seen) -> Answer:
    """Look where the question points, and answer with what was found."""
    if any(result.name == "reply" and not result.is_error for result in seen.results):
        return Answer(calls=(("skip", {"reason": "already answered"}),))
    found = [result.text for result in seen.results if result.name in LOOKS]
    if not found:
        return Answer(calls=(find_look(seen.heard),))
    text = _notice_first(seen, "\n\n".join(found))
    return (
        Answer(text=text)
        if seen.results[-1].name == "reply"
        else Answer(calls=(("reply", {"content": text}),))
    )


def _wanted_file(seen: Seen, said: str) -> tuple[str, str] | None:
    """Return path and content of a file that is asked for, the time filled in."""
    path = find_time_request(said)
    if path is not None and (now := find_time(seen.last_user)):
        return path, now
    return find_file_request(said)


def _as_job(seen: Seen) -> Answer:
    """Carry out a scheduled job: hand a file to a worker and wait, then deliver what it reports; say all else."""
    if reports := find_reports(seen.last_user):
        return Answer(calls=(("reply", {"content": "\n\n".join(_relay(report) for report in reports)}),))
    job = find_job(seen.last_user) or ""
    wanted = _wanted_file(seen, job)
    if wanted is not None and not seen.results:
        path, content = wanted
        task = f"Write a file {path} saying {content}"
        return Answer(calls=(("spawn_worker", {"task": task}), ("wait", {})))
    return Answer(calls=(("reply", {"content": f"It is time: {job}" if job else "Nothing came of it."}),))


def _as_itself(seen: Seen) -> Answer:
    """Start the first task that is ready, where that is allowed, and say so."""
    tried = [result for result in seen.results if result.name == "begin_task"]
    ready = find_ready_tasks(seen.last_user)
    if ready and not tried and "begin_task" in seen.tools:
        return Answer(calls=(("begin_task", {"number": ready[0]}),))
    summary = "Nothing is ready that I could start."
    if tried:
        done = "A worker is on it; its end is told there." if not tried[-1].is_error else tried[-1].text[:300]
        summary = f"Task #{ready[0]}: {done}"
    return Answer(calls=(("finish", {"summary": summary}),))


def _as_worker(seen: Seen) -> Answer:
    wanted = find_file_request(plain_text(seen.last_user))
    if wanted is None or "write_file" not in seen.tools:
        reason = (
            "I can only write files."
            if seen.echo
            else f"Without a model I can only write files. {HOW_TO_CONFIGURE}"
        )
        return _end_worker(seen, "failed", reason)
    path, content = wanted
    written = [result for result in seen.results if result.name == "write_file"]
    if not written:
        return Answer(calls=(("write_file", {"path": path, "content": content}),))
    if written[-1].is_error:
        return _end_worker(seen, "failed", f"I could not write {path}: {written[-1].text[:300]}")
    return _end_worker(seen, "done", f"I wrote {path} ({len(content.encode())} bytes).")


def _end_worker(seen: Seen, status: str, summary: str) -> Answer:
    if any(result.name == "set_outcome" for result in seen.results):
        return Answer(text=summary)
    return Answer(calls=(("set_outcome", {"status": status, "summary": summary}),))


def _as_branch(seen: Seen) -> Answer:
    wanted = find_proposal(plain_text(seen.last_user))
    if wanted is not None and "task_create" in seen.tools:
        return _propose(seen, wanted)
    topic = plain_text(seen.last_user)[:500] or "this"
    conclusion = f"I turned it over: {topic}. "
    conclusion += "That is all." if seen.echo else "Built-in rules can repeat a thought but not deepen it."
    return Answer(calls=(("conclude", {"status": "done", "conclusion": conclusion}),))


def _propose(seen: Seen, wanted: str) -> Answer:
    tried = [result for result in seen.results if result.name == "task_create"]
    if not tried:
        title = " ".join(wanted.split())[:120]
        return Answer(calls=(("task_create", {"title": title, "description": wanted}),))
    status, conclusion = "failed", f"I could not propose it: {tried[-1].text[:300]}"
    if not tried[-1].is_error:
        number = json.loads(tried[-1].text)["number"]
        status, conclusion = "done", f"Task #{number} waits for your approval on the board."
    return Answer(calls=(("conclude", {"status": status, "conclusion": conclusion}),))


def _talk(seen: Seen, said: str) -> str:
    if seen.echo:
        return f"echo: {said}"
    if _GREETING.match(said):
        return _notice_first(seen, f"Hello! {ABILITIES}")
    if _THANKS.match(said):
        return _notice_first(seen, "You are welcome.")
    quoted = " ".join(said.split())[:300]
    start = f"You said: “{quoted}”. " if quoted else ""
    return f"{start}{ABILITIES} {HOW_TO_CONFIGURE}"


def _relay(report: ChildReport) -> str:
    said = report.text or "(nothing)"
    if report.outcome in ("done", "succeeded"):
        return said
    return f"The {report.kind} #{report.number} ended as {report.outcome}: {said}"


def _notice_first(seen: Seen, text: str) -> str:
    """Add, in the first reply of a conversation, that no model is configured."""
    if seen.echo or not seen.is_first_reply:
        return text
    end = "" if text[-1:] in ".!?" else "."
    return f"{text}{end} {HOW_TO_CONFIGURE}"
