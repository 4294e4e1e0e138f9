"""One execution of one run: claim it, drive the loop, make its terminal write."""

from __future__ import annotations

import contextlib

from django.db import Error
from django.db.models.expressions import RawSQL
from django.db.utils import InterfaceError, OperationalError

from accounts.boundaries import reach
from accounts.database import release_connection
from accounts.logs import get_logger
from agents.browser import sessions as browsers
from agents.coding.choosing import INSTEAD
from agents.coding.errors import BackendFailed, Breach, NoBackend
from agents.context.fit import budget, fit
from agents.egress.search.choosing import HAS_KEY
from agents.engine.claims import Claim, check_owned, claim, claim_next
from agents.engine.contexts import call_context
from agents.engine.elsewhere import Elsewhere
from agents.engine.journal import DatabaseJournal
from agents.engine.leases import keeper
from agents.engine.records import store_prompt
from agents.engine.restore import restore
from agents.engine.streaming import ReplyStream
from agents.errors import LostLease, RunStopped
from agents.loop import Ending, Transcript, run_loop
from agents.models import Run, RunKind, RunState
from agents.processes import sentences
from agents.processes.base import Process
from agents.processes.coder import Coder
from agents.processes.registry import process_for
from agents.tools import shell_jobs
from agents.tools.gate import Gate
from llm.errors import Cancelled, ContextTooLong, LLMError
from llm.services import complete
from llm.services.tokens import context_window, estimate_tokens
from llm.types import CancelToken, ChatRequest, ChatResponse
from realtime.services import NewEvent, publish_transient
from secret_store.shields import VERSION

log = get_logger(__name__)

MOST_RECOVERIES = 5
WINDOW_TRIES = 3


def execute_run(run_id: int, kind: str, conversation_id: int | None) -> bool:
    """Execute a run if it can be claimed; return whether it was. Safe to call twice and at any moment.

    A database that goes away leaves the run to its lease: whoever claims it next goes on from its last step.
    """
    return _carry_out(claim(run_id, kind, conversation_id))


def execute_next(kind: RunKind) -> bool:
    """Execute the run of a kind that has waited longest; return whether there was one."""
    return _carry_out(claim_next(kind))


def _carry_out(claimed: Claim | None) -> bool:
    if claimed is None:
        return False
    run_id = claimed.run_id
    reach("run.claimed")
    with keeper.keep(claimed):
        try:
            _execute(claimed)
        except LostLease as error:
            log.info("run.lost_lease", run=run_id, reason=str(error))
        except (OperationalError, InterfaceError) as error:
            log.warning("run.database_unavailable", run=run_id, error=str(error))
            with contextlib.suppress(Error):
                release_connection()
    return True


def _execute(claimed: Claim) -> None:
    vault_version = RawSQL(f"({VERSION}agents_run.organization_id)", [])  # noqa: S611 - no input in it
    run = (
        Run.objects.select_related("agent", "conversation")
        .annotate(vault_version=vault_version, has_search_key=HAS_KEY)
        .get(pk=claimed.run_id)
    )
    check_owned(run, claimed)
    try:
        _execute_within_window(run, claimed)
    finally:
        shell_jobs.end_all(run.pk)
        if run.kind == RunKind.CHANNEL:
            _typing(run, on=False)
        browsers.execution_ended(run.pk)


def _execute_within_window(run: Run, claimed: Claim) -> None:
    """Execute; when a model turns out to take less than we thought, try again with what it taught us."""
    for attempt in range(WINDOW_TRIES):
        process = process_for(run, claimed)
        gate = Gate(process)
        journal = DatabaseJournal(process, gate)
        try:
            if early := _early_end(run, process):
                journal.end(early)
            else:
                _drive(process, gate, journal, may_have_steps=attempt > 0 or claimed.fence > 1)
        except ContextTooLong as error:
            learned = budget(context_window(call_context(process)))
            # Prompt and tools alone must fit, or nothing that could be left out would help.
            if attempt + 1 < WINDOW_TRIES and process.base_tokens < learned < process.asked_tokens:
                log.warning("run.window_learned", run=run.pk, before=process.window)
                continue
            _fail(process, journal, error)
        except LLMError as error:
            _fail(process, journal, error)
        except (NoBackend, BackendFailed) as error:
            log.warning("run.backend_failed", run=run.pk, kind=type(error).__name__, reason=str(error))
            words = str(error) if isinstance(error, Breach) else f"{error} {INSTEAD}"
            journal.end(process.failed(None, words))
        except RunStopped as error:
            _stop(process, journal, error.reason)
        except (LostLease, OperationalError, InterfaceError):
            raise
        except Exception:
            log.exception("run.crashed", run=run.pk)
            journal.end(process.failed(None, sentences.SOMETHING_BROKE))
        finally:
            process.close()
        return


def _fail(process: Process, journal: DatabaseJournal, error: LLMError) -> None:
    if isinstance(error, Cancelled):
        _stop(process, journal, process.claim.cancel.reason)
        return
    log.warning(
        "run.model_failed", run=process.run.pk, kind=type(error).__name__, vendor=error.vendor_text[:500]
    )
    journal.end(process.failed(error, sentences.sentence_for(error)))


def _early_end(run: Run, process: Process) -> Ending | None:
    """Return the end of a run that must not start."""
    if run.cancel_requested_at:
        return process.stopped(RunState.CANCELLED, run.cancel_reason)
    if not run.agent.enabled:
        return process.failed(None, sentences.AGENT_OFF)
    if run.recoveries > MOST_RECOVERIES:
        return process.stopped(RunState.INTERRUPTED, "recovered too often")
    return process.early_end()


def _drive(process: Process, gate: Gate, journal: DatabaseJournal, *, may_have_steps: bool) -> Ending:
    """Run the loop to its end; a run claimed for the first time is spared the look for earlier steps."""
    run = process.run
    transcript, open_step = restore(run, process) if may_have_steps else (Transcript(), None)
    system = tuple(process.shield.scrub(part).text for part in process.system())
    tools = tuple(tool.spec for tool in gate.tools.values())
    store_prompt(run, system, tools)
    asker = Elsewhere(process, journal) if isinstance(process, Coder) else _Asker(process, journal)
    process.window = context_window(asker.context)
    process.base_tokens = estimate_tokens(ChatRequest(system=system, messages=(), tools=tools))
    if process.streams_to_people():
        _typing(run, on=True)
    if open_step is not None:
        record = journal.resume(open_step)
        transcript.messages.extend(record.results)
        if record.ending is not None:
            return record.ending
    return run_loop(
        asker,
        journal,
        transcript,
        system=system,
        tools=tools,
        max_steps=process.max_steps + transcript.steps if run.interactive else process.max_steps,
        cancel=process.claim.cancel,
    )


class _Asker:
    """Asks the model, holding no database connection, and streams a channel's words to those who watch."""

    def __init__(self, process: Process, journal: DatabaseJournal) -> None:
        self.process, self.journal = process, journal
        self.context = call_context(process)

    def __call__(self, request: ChatRequest, cancel: CancelToken) -> ChatResponse:
        stream = (
            ReplyStream(self.process.run, self.process.shield, self.process.said_before)
            if self.process.streams_to_people()
            else None
        )
        request = self._fitted(request)
        reach("model.before")
        try:
            completed = complete(
                self.context, request, on_event=stream or (lambda event: None), cancel=cancel
            )
        except LLMError:
            if stream is not None:
                stream.reset()
            raise
        reach("model.after")
        self.journal.cost_usd = completed.cost_usd
        self.journal.redactions = completed.redactions
        if stream is not None and completed.response.message.tool_calls and not _replies(completed.response):
            stream.reset()
        return completed.response

    def _fitted(self, request: ChatRequest) -> ChatRequest:
        asked = estimate_tokens(request)
        if asked > budget(self.process.window):
            request = fit(request, window=self.process.window)
            asked = estimate_tokens(request)
        self.process.asked_tokens = asked
        return request


def _replies(response: ChatResponse) -> bool:
    return any(call.name == "reply" for call in response.message.tool_calls)


def _stop(process: Process, journal: DatabaseJournal, reason: str) -> None:
    if reason == "lost":
        raise LostLease(f"run {process.run.pk} lost its lease")
    state = RunState.TIMED_OUT if reason == "deadline" else RunState.CANCELLED
    detail = reason.removeprefix("cancelled: ")
    journal.end(process.stopped(state, detail))


def _typing(run: Run, *, on: bool) -> None:
    publish_transient(
        run.organization_id,
        NewEvent(kind="typing", payload={"run_id": run.pk, "on": on}, conversation_id=run.conversation_id),
    )
