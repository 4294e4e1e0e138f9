"""Celery jobs. Each may run twice, late, or not at all: rows decide."""

from __future__ import annotations

from celery import shared_task

from agents.engine import recovery
from agents.engine.executor import execute_run


@shared_task(name="agents.execute", ignore_result=True)
def execute(run_id: int, kind: str, conversation_id: int | None) -> None:
    execute_run(run_id, kind, conversation_id)


@shared_task(name="agents.sweep", ignore_result=True, expires=10)
def sweep() -> None:
    recovery.sweep()
