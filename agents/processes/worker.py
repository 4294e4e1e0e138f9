"""The worker: does one task with tools, sees no conversation. An interactive one waits for follow-ups."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from django.db.models import QuerySet
from django.utils import timezone

from agents.context.memory_mode import forbidden_to_worker
from agents.context.prompts import worker_system
from agents.context.task import render_task
from agents.engine import wakeups
from agents.engine.claims import Claim, Held
from agents.loop import Ending
from agents.models import Run, RunInput, RunKind, RunState
from agents.processes.base import Joined
from agents.processes.children import Child
from agents.services.attempts import is_bound, settle_ending
from agents.tools.base import Tool
from agents.tools.board_work import bound_to_nothing
from agents.tools.registry import tools_for
from llm.models import Process as LlmProcess
from llm.types import ChatResponse, UserMessage
from tasks.services.starting import find_bound_task

IDLE_LIMIT = timedelta(hours=24)
NUDGES = 2


class Worker(Child):
    llm_process: ClassVar[LlmProcess] = LlmProcess.WORKER
    max_steps: ClassVar[int] = 100
    waits_for_people: ClassVar[bool] = True

    def __init__(self, run: Run, claim: Claim) -> None:
        super().__init__(run, claim)
        self.input_ids: set[int] = set()
        self._nudges = 0

    def system(self) -> tuple[str, ...]:
        recalls = "memory_recall" in self.tools()
        return worker_system(
            self.run.agent, interactive=self.run.interactive, recalls=recalls, on_board=is_bound(self.run)
        )

    def tools(self) -> dict[str, Tool]:
        without = forbidden_to_worker(self.run) | bound_to_nothing(self.run) | frozenset(self.lacking)
        held = tools_for(RunKind.WORKER, without)
        return {**held, **self.outside_tools}

    def collect(self, *, first: bool) -> Joined:
        inputs = list(self._new_inputs().order_by("id"))
        parts = [f"[your task]\n{self._task()}"] if first else []
        parts += [f"[follow-up]\n{item.text}" for item in inputs]
        messages = (UserMessage("\n\n".join(parts)),) if parts else ()
        return Joined(messages=messages, input_ids=tuple(item.pk for item in inputs))

    def _task(self) -> str:
        bound = find_bound_task(self.run.pk) if is_bound(self.run) else None
        return render_task(bound) if bound else str(self.run.input["task"])

    def join(self, joined: Joined) -> None:
        self.input_ids.update(joined.input_ids)

    def resume(self, joined: Joined) -> None:
        self.join(joined)

    def has_new_input(self) -> bool:
        return self._new_inputs().exists()

    def text_only(self, response: ChatResponse, *, key: str, held: Held) -> Ending | str:
        text = response.message.text.strip()
        if self.run.interactive:
            return self.outcome("done", text)
        self._nudges += 1
        if self._nudges <= NUDGES:
            return "You have not finished: go on with your tools, or call set_outcome with what came of the task."
        why = "It stopped without saying what came of the task."
        return Ending(
            RunState.FAILED,
            "failed",
            {"text": f"{why} Its last words: {text}"},
            {"class": "NoOutcome", "message": why},
        )

    def outcome(self, status: str, summary: str) -> Ending:
        """Return the end that an outcome means: an interactive worker lays itself to wait."""
        state = RunState.WAITING if self.run.interactive else RunState.SUCCEEDED
        if status == "failed" and not self.run.interactive:
            return Ending(
                RunState.FAILED, status, {"text": summary}, {"class": "Reported", "message": summary[:300]}
            )
        return Ending(state, status, {"text": summary})

    def before_finish(self, ending: Ending, held: Held) -> None:
        super().before_finish(ending, held)
        settle_ending(self.run, ending)
        if self.input_ids:
            RunInput.objects.filter(pk__in=self.input_ids, taken_at=None).update(taken_at=timezone.now())

    def after_finish(self, ending: Ending, held: Held) -> None:
        super().after_finish(ending, held)
        if ending.state != RunState.WAITING:
            return
        if self.has_new_input():
            wakeups.requeue(self.run)
        else:
            self.run.due_at = timezone.now() + IDLE_LIMIT
            self.run.save(update_fields=["due_at"])

    def _new_inputs(self) -> QuerySet[RunInput]:
        return RunInput.objects.filter(run_id=self.run.pk, taken_at=None).exclude(pk__in=self.input_ids)
