"""Records steps and calls their tools.

A step whose calls are all transactional is one commit: the step, the effects and, if one of them ends the run,
the terminal write. With any other call in it, the step is committed first, each call after it, and the calls that
end the run last. A crash therefore finds a step either whole or with calls whose state says what is known.

A call that a person has to decide about waits, with all calls after it, and so does the run; what was decided is
taken up exactly there, see `_go_on`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone

from accounts.boundaries import reach
from accounts.database import release_connection
from agents.engine import endings, records
from agents.engine.claims import Held, fenced
from agents.engine.codec import encode
from agents.errors import RunStopped
from agents.loop import Ending, StepRecord, Transcript
from agents.models import CallState, Run, Step
from agents.processes.base import Joined, Process
from agents.tools.gate import Gate, PreparedCall
from llm.services.shielding import Shielding
from llm.types import ChatResponse, ToolResult, UserMessage
from secret_store.scrubbing.scrubber import Hits


class DatabaseJournal:
    """The journal of one execution of one run."""

    def __init__(self, process: Process, gate: Gate) -> None:
        self.process = process
        self.gate = gate
        self.cost_usd: Decimal | None = None
        self.redactions: Mapping[str, int] = {}
        self.asked_at: datetime = timezone.now()
        self._added: list[dict[str, Any]] = []
        self._hits = Hits()
        self._joined = Joined()
        self._note = ""
        self._prompt_stored = False

    def check(self) -> None:
        if self.process.claim.cancel.is_cancelled:
            raise RunStopped(self.process.claim.cancel.reason)

    def collect(self, transcript: Transcript) -> None:
        joined = self.process.collect(first=transcript.steps == 0)
        self.process.join(joined)
        self._joined = joined
        self._hits = Hits()
        shielding = Shielding(self.process.shield)
        messages = [shielding.message(message, self._hits) for message in joined.messages]
        if self._note:
            messages.append(UserMessage(self._note))
            self._note = ""
        transcript.join(messages, stable=len(transcript.messages) + len(messages) - joined.volatile)
        self._added = [encode(message) for message in messages]
        self.asked_at = timezone.now()
        release_connection()

    def record(self, number: int, response: ChatResponse) -> StepRecord:
        calls = [
            self.gate.prepare(position, call) for position, call in enumerate(response.message.tool_calls)
        ]
        if all(call.is_transactional for call in calls):
            return self._record_at_once(number, response, calls)
        return self._record_in_parts(number, response, calls)

    def resume(self, step: Step) -> StepRecord:
        """Finish the calls of a step that a lost execution left open, without repeating what must not be."""
        calls = [self.gate.restore(row) for row in step.tool_calls.all()]
        return self._go_on(step, calls)

    def step_limit(self, max_steps: int) -> Ending:
        return self._end(self.process.step_limit())

    def end(self, ending: Ending) -> Ending:
        """Make the terminal write outside a step."""
        return self._end(ending)

    def _end(self, ending: Ending) -> Ending:
        with fenced(self.process.claim) as held:
            endings.finish(self.process, ending, held)
        reach("end.committed")
        return ending

    def _record_at_once(self, number: int, response: ChatResponse, calls: list[PreparedCall]) -> StepRecord:
        ending: Ending | None = None
        reach("step.before")
        with fenced(self.process.claim) as held:
            self._check_cancel(held)
            step = self._store_step(number, response)
            self._admit(number, calls, held)
            for call in sorted(calls, key=lambda call: call.ends_run):
                ending = self.gate.run_transactional(call, self._key(number, call.position), held) or ending
            records.store_calls(step, calls)
            if not calls:
                treated = self.process.text_only(response, key=self._key(number, 0), held=held)
                if isinstance(treated, Ending):
                    ending = treated
                else:
                    self._note = treated
            if ending is None and self._waiting(calls):
                ending = endings.lay_to_wait(self.process)
            elif ending is not None:
                endings.finish(self.process, ending, held)
            else:
                self._store_prompt()
            reach("step.stored")
        reach("end.committed" if ending else "step.committed")
        return StepRecord(results=_results(calls), ending=ending)

    def _record_in_parts(self, number: int, response: ChatResponse, calls: list[PreparedCall]) -> StepRecord:
        reach("step.before")
        with fenced(self.process.claim) as held:
            self._check_cancel(held)
            step = self._store_step(number, response)
            self._admit(number, calls, held)
            records.store_calls(step, calls)
            self._store_prompt()
            reach("step.stored")
        reach("step.committed")
        return self._go_on(step, calls)

    def _admit(self, number: int, calls: list[PreparedCall], held: Held) -> None:
        """Ask policies; note at the run that it waits for a person, so that whoever ends it takes the question back."""
        self.gate.admission.admit([(call, self._key(number, call.position)) for call in calls], held)
        if waiting := self._waiting(calls):
            self._note_waiting(waiting[0].waits_for)

    def _note_waiting(self, what: str) -> None:
        if self.process.run.waiting_for != what:
            self.process.run.waiting_for = what
            Run.objects.filter(pk=self.process.run.pk).update(waiting_for=what)

    def _waiting(self, calls: list[PreparedCall]) -> list[PreparedCall]:
        return [call for call in calls if call.is_waiting] if self.process.waits_for_people else []

    def _go_on(self, step: Step, calls: list[PreparedCall]) -> StepRecord:
        """Run what may run, take up what was decided, one call after the other; lie down while somebody must decide."""
        while True:
            record = self._run_calls(step, calls)
            waiting = self._waiting(calls)
            if record.ending is not None or not waiting:
                return record
            self.check()
            ending = self._take_up(step, waiting[0], is_last=len(waiting) == 1)
            if ending is not None:
                return StepRecord(results=_results(calls), ending=ending)

    def _take_up(self, step: Step, call: PreparedCall, *, is_last: bool) -> Ending | None:
        """Settle one waiting call in a transaction that also runs it, if it is transactional; or lay the run to wait.

        An approved call outside a transaction is committed as begun before it runs: it never begins twice.
        """
        ending: Ending | None = None
        key = self._key(step.number, call.position)
        reach("approval.before")
        with fenced(self.process.claim) as held:
            self._check_cancel(held)
            if not self.gate.admission.settle(call, key, held):
                self._note_waiting(call.waits_for)
                return endings.lay_to_wait(self.process)
            if call.is_open and call.is_transactional:
                ending = self.gate.run_transactional(call, key, held)
            records.update_call(step, call)
            if is_last:
                self._note_waiting("")
            if ending is not None:
                endings.finish(self.process, ending, held)
            reach("approval.claimed")
        reach("approval.committed")
        return ending

    def _store_prompt(self) -> None:
        """Keep the run's prompt from its first step on; a run that ends at once writes it with its end."""
        run = self.process.run
        if not self._prompt_stored:
            Run.objects.filter(pk=run.pk).update(prompt_id=run.prompt_id)
            self._prompt_stored = True

    def _run_calls(self, step: Step, calls: list[PreparedCall]) -> StepRecord:
        """Run what is still open, the calls that end the run last, each result in a commit of its own."""
        open_calls = [call for call in calls if call.is_open]
        for place, call in enumerate(c for c in open_calls if not c.ends_run):
            self.check()
            if place and self.gate.admission.permits.seen:
                self._ask_again(step, call, calls)
            if call.is_open:
                self._run_call(step, call)
        ending: Ending | None = None
        if closing := [call for call in open_calls if call.ends_run and call.is_open]:
            with fenced(self.process.claim) as held:
                for call in closing:
                    ending = (
                        self.gate.run_transactional(call, self._key(step.number, call.position), held)
                        or ending
                    )
                    records.update_call(step, call)
                if ending is not None:
                    endings.finish(self.process, ending, held)
            reach("end.committed" if ending else "result.committed")
        return StepRecord(results=_results(calls), ending=ending)

    def _run_call(self, step: Step, call: PreparedCall) -> None:
        key = self._key(step.number, call.position)
        if call.is_transactional:
            with fenced(self.process.claim) as held:
                self.gate.run_transactional(call, key, held)
                records.update_call(step, call)
                self.gate.admission.permits.look_again(held.has_policies)
            return
        release_connection()
        reach("tool.before")
        self.gate.run_external(call, key)
        reach("tool.after")
        with fenced(self.process.claim) as held:
            records.update_call(step, call)
            self.gate.admission.permits.look_again(held.has_policies)
            reach("result.stored")
        reach("result.committed")

    def _ask_again(self, step: Step, call: PreparedCall, calls: list[PreparedCall]) -> None:
        """Ask the policy for a call that others of its step came before; if it waits now, so do those after it."""
        with fenced(self.process.claim) as held:
            self.gate.admission.ask_again(call, self._key(step.number, call.position), held)
            records.update_call(step, call)
            if not self._waiting([call]):
                return
            self._note_waiting(call.waits_for)
            for later in calls:
                if later.is_open and (later.ends_run or later.position > call.position):
                    later.state = CallState.WAITING
                    records.update_call(step, later)

    def _check_cancel(self, held: Held) -> None:
        if held.cancel_requested:
            raise RunStopped(self.process.claim.cancel.reason or "cancelled")

    def _store_step(self, number: int, response: ChatResponse) -> Step:
        self.process.spend(self.cost_usd)
        return records.store_step(
            self.process.run,
            number,
            response,
            added=self._added,
            joined=self._joined,
            cost_usd=self.cost_usd,
            asked_at=self.asked_at,
            scrubbing=self._scrubbing(),
        )

    def _scrubbing(self) -> dict[str, Any]:
        """Tell what was taken out of what the step was given and of its answer."""
        self._hits.add(self.redactions)
        found: dict[str, Any] = {"hits": dict(self._hits.counts)} if self._hits.counts else {}
        if self.process.shield.blind:
            found["blind"] = self.process.shield.blind
        return found

    def _key(self, number: int, position: int) -> str:
        return records.key_of(self.process.run.pk, number, position)


def _results(calls: list[PreparedCall]) -> tuple[ToolResult, ...]:
    return tuple(
        ToolResult(call.call.id, call.call.name, call.result, is_error=call.state != CallState.SUCCEEDED)
        for call in calls
    )
