"""The one gate: every tool call that runs, whatever started it, passes here.

Order: does this kind of process hold the tool; are the arguments right; has the tool failed too often; does the call
repeat itself; does its policy let it run, or a grant, or a person; is the tool's circuit closed; may the requester still act;
then it runs, and what it says is scrubbed of secrets and capped.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import Error
from django.utils import timezone
from pydantic import ValidationError

from accounts.logs import get_logger
from agents.cortex import breakers
from agents.errors import LostLease, RunStopped, ToolFailed, ToolRetry, ToolUnavailable
from agents.loop import Ending
from agents.models import CallState, Policy, ToolCall
from agents.services.pictures import keep_pictures
from agents.tools.admission import Admission, context_of
from agents.tools.authority import check_authority
from agents.tools.base import Arguments, Tool, ToolOutput
from agents.tools.gone import gone
from agents.tools.guard import LIMITS, LoopGuard
from agents.tools.permits import OFF
from agents.tools.strikes import Strikes
from llm import types as chat
from secret_store.scrubbing.rolling import LONGEST_BEFORE

if TYPE_CHECKING:
    from agents.engine.claims import Held
    from agents.processes.base import Process

log = get_logger(__name__)

OUTPUT_CAP_BYTES = 50_000
UNKNOWN = "Interrupted: whether this call took effect is unknown. Look before you repeat it."


@dataclass
class PreparedCall:
    """A call on its way through the gate. `tool` and `parsed` are None when it was refused."""

    position: int
    call: chat.ToolCall
    arguments: dict[str, Any]
    tool: Tool | None = None
    parsed: Arguments | None = None
    state: str = CallState.RUNNING
    result: str = ""
    note: str = ""
    health: breakers.Health = "unknown"
    allowed_by: str = ""
    redactions: dict[str, int] = field(default_factory=dict)
    started_at: datetime = field(default_factory=timezone.now)

    @property
    def is_open(self) -> bool:
        return self.state == CallState.RUNNING

    @property
    def is_waiting(self) -> bool:
        """Say whether it has not begun: a person decides about it, or about one before it."""
        return self.state == CallState.WAITING and self.parsed is not None

    @property
    def is_closed(self) -> bool:
        return self.state not in (CallState.RUNNING, CallState.WAITING)

    @property
    def waits_for(self) -> str:
        """Return what the run of a waiting call waits for: an answer, or an approval."""
        return "question" if self.tool is not None and self.tool.waits else "approval"

    @property
    def is_transactional(self) -> bool:
        return self.tool is None or self.tool.transactional

    @property
    def ends_run(self) -> bool:
        return self.tool is not None and self.tool.ends_run

    @property
    def repeatable(self) -> bool:
        return self.tool is None or self.tool.transactional or self.tool.repeatable

    def close(self, state: CallState, text: str) -> None:
        self.state = state
        self.result = cap(f"{text}\n{self.note}" if self.note else text)


class Gate:
    """The gate of one execution; the loop guard's memory lives as long as it."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.admission = Admission(process)
        self.held_tools = process.tools()
        self.tools = {
            name: tool
            for name, tool in self.held_tools.items()
            if self.admission.permits.policy(tool) != Policy.DISABLE
        }
        self.shield = process.shield
        self._said = ""
        self.guard = LoopGuard(LIMITS[process.run.kind])
        self.strikes = Strikes()
        if process.claim.fence > 1:
            self.strikes.load(process.run.pk)

    def prepare(self, position: int, call: chat.ToolCall) -> PreparedCall:
        """Check the tool, the arguments and the repetition; a refusal is a closed call with its reason."""
        prepared = PreparedCall(position=position, call=call, arguments={})
        tool = self.tools.get(call.name)
        if tool is None:
            if call.name in self.held_tools:
                prepared.close(CallState.REFUSED, OFF)
                return prepared
            if reason := self.process.lacking.get(call.name):
                prepared.close(CallState.REFUSED, f"This will not work here: {reason}.")
                return prepared
            prepared.close(
                CallState.REFUSED,
                f"There is no tool {call.name[:60]!r} here. You have: {', '.join(self.tools)}.",
            )
            return prepared
        if refusal := self.strikes.refusal(call.name):
            prepared.close(CallState.REFUSED, refusal)
            return prepared
        try:
            arguments = json.loads(call.arguments or "{}", object_pairs_hook=_without_twins)
            _check_texts(arguments)
            prepared.arguments = arguments
            prepared.parsed = tool.arguments.model_validate(prepared.arguments)
        except ValidationError as error:
            prepared.close(
                CallState.FAILED, f"The arguments are wrong: {_explain(error)}. Mend them and call again."
            )
            self.strikes.saw(call.name, CallState.FAILED)
            return prepared
        except _Unclear as error:
            prepared.close(CallState.FAILED, f"The arguments {error}. Mend them and call again.")
            self.strikes.saw(call.name, CallState.FAILED)
            return prepared
        except ValueError:
            prepared.close(CallState.FAILED, "The arguments are not a JSON object. Mend them and call again.")
            self.strikes.saw(call.name, CallState.FAILED)
            return prepared
        verdict = self.guard.check(call.name, prepared.arguments, polling=tool.polling)
        prepared.note = verdict.note
        if verdict.blocked:
            prepared.note = ""
            prepared.close(CallState.REFUSED, verdict.note)
            return prepared
        prepared.tool = tool
        return prepared

    def restore(self, row: ToolCall) -> PreparedCall:
        """Return a recorded call as a recovery finds it; what must not be repeated is closed as unknown."""
        call = chat.ToolCall(row.call_id, row.name, json.dumps(row.arguments))
        prepared = PreparedCall(
            position=row.position, call=call, arguments=row.arguments, state=row.state, result=row.result,
            allowed_by=row.allowed_by,
        )  # fmt: skip
        waits = row.state == CallState.WAITING and self.process.waits_for_people
        if row.state != CallState.RUNNING and not waits:
            return prepared
        tool = self.held_tools.get(row.name) or (gone(row.name) if waits else None)
        if tool is not None and (waits or row.repeatable):
            prepared.tool, prepared.parsed = tool, tool.arguments.model_validate(row.arguments)
            if waits or self.admission.permits.may_repeat(
                self.admission.wanted(prepared, row.key), row.allowed_by
            ):
                return prepared
        prepared.close(CallState.UNKNOWN, UNKNOWN)
        ToolCall.objects.filter(pk=row.pk, state=CallState.RUNNING).update(
            state=prepared.state, result=prepared.result, finished_at=timezone.now()
        )
        return prepared

    def run_transactional(self, call: PreparedCall, key: str, held: Held) -> Ending | None:
        """Run an open call inside the caller's transaction."""
        if not call.is_open:
            return None
        output = self._run(call, key, held)
        return output.ending if output else None

    def run_approved(self, row: ToolCall, tool: Tool, parsed: Arguments, held: Held) -> PreparedCall:
        """Run a recorded call for which a person has decided after its run went on, inside the verdict's transaction."""
        call = chat.ToolCall(row.call_id, row.name, json.dumps(row.arguments))
        prepared = PreparedCall(
            position=row.position, call=call, arguments=row.arguments, tool=tool, parsed=parsed
        )
        self.run_transactional(prepared, row.key, held)
        return prepared

    def run_external(self, call: PreparedCall, key: str) -> None:
        """Run an open call outside any transaction."""
        if not call.is_open:
            return
        if reason := breakers.refusal(self.process.run, call.call.name):
            call.close(CallState.REFUSED, reason)
            return
        self.process.announce_tool(call.call.name)
        if output := self._run(call, key):
            keep_pictures(self.process.run, key, output.pictures)
        breakers.saw(self.process.run, call.call.name, call.health)

    def _run(self, call: PreparedCall, key: str, held: Held | None = None) -> ToolOutput | None:
        assert call.tool is not None
        run = self.process.run
        context = context_of(self.process, key, held)
        output: ToolOutput | None = None
        try:
            if call.tool.needs_member:
                check_authority(run, call.call.name)
            output = call.tool.function(context, call.parsed)
            self._close(call, CallState.SUCCEEDED, output.text)
            call.health = "works"
        except ToolRetry as error:
            self._close(call, CallState.FAILED, str(error))
        except ToolFailed as error:
            self._close(call, CallState.FAILED, f"This will not work: {error}")
            call.health = "broken" if isinstance(error, ToolUnavailable) else "unknown"
        except (LostLease, RunStopped, Error):
            raise
        except Exception:
            if call.tool.transactional:
                raise
            log.exception("tool.crashed", tool=call.call.name, run=run.pk)
            call.health = "broken"
            call.close(
                CallState.FAILED, "The tool failed for a reason of its own; it was logged. Try another way."
            )
        self.guard.saw(call.call.name, call.arguments, call.result)
        self.strikes.saw(call.call.name, call.state)
        return output

    def _close(self, call: PreparedCall, state: CallState, text: str) -> None:
        """Take secrets out of what a tool said, before it is cut, recorded or shown to the model.

        What the last tool said is looked at with it, so that a secret read in two halves stays unread.
        """
        scrubbed = self.shield.scrub_after(self._said, text)
        call.redactions = dict(scrubbed.hits)
        call.close(state, scrubbed.text)
        self._said = text[-LONGEST_BEFORE:]


def cap(text: str) -> str:
    """Bound a result at 50,000 bytes, with a note of what was left out, and take out what no text column holds."""
    text = text.replace("\0", "\ufffd")
    data = text.encode(errors="replace")
    if len(data) <= OUTPUT_CAP_BYTES:
        return text
    kept = data[:OUTPUT_CAP_BYTES].decode(errors="ignore")
    return f"{kept}\n[cut: {len(data):,} bytes in all, the first {OUTPUT_CAP_BYTES:,} are shown]"


class _Unclear(ValueError):
    """What people are shown, what is kept and what a tool is given could differ: a key twice, text that cannot be kept."""


def _check_texts(value: Any) -> None:
    if isinstance(value, str):
        if "\0" in value or value != value.encode(errors="replace").decode():
            raise _Unclear("hold a NUL or half of a character")
    elif isinstance(value, dict):
        for name, each in value.items():
            _check_texts(name)
            _check_texts(each)
    elif isinstance(value, list):
        for each in value:
            _check_texts(each)


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        raise _Unclear(f"name {next(name for name in names if names.count(name) > 1)!r} twice")
    return found


def _explain(error: ValidationError) -> str:
    parts = (f"{'.'.join(str(p) for p in e['loc']) or 'arguments'}: {e['msg']}" for e in error.errors()[:5])
    return "; ".join(parts)
