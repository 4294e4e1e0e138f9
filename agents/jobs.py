"""Celery jobs. Each may run twice, late, or not at all: rows decide."""

from __future__ import annotations

import threading
from functools import cache

from celery import shared_task
from django.conf import settings

from agents.autonomy import starting as autonomy
from agents.coding.place import prune_homes
from agents.cortex import runner
from agents.egress import rules
from agents.engine import recovery
from agents.engine.executor import execute_next, execute_run
from agents.mcp import looking
from agents.models import RunKind
from agents.processes import keeper
from agents.services import summing_up


@cache
def background_places() -> threading.BoundedSemaphore:
    """Return the places that branches and workers share in this process.

    A quarter of the threads is kept for channels, so that background work never holds up a reply.
    """
    return threading.BoundedSemaphore(max(1, settings.SPACEBOT_WORKER_THREADS * 3 // 4))


@shared_task(name="agents.execute", ignore_result=True)
def execute(run_id: int, kind: str, conversation_id: int | None) -> None:
    if kind == RunKind.CHANNEL:
        execute_run(run_id, kind, conversation_id)
        return
    places = background_places()
    if not places.acquire(blocking=False):
        return  # It stays queued; the sweeper asks again.
    try:
        execute_run(run_id, kind, conversation_id)
        # What came due while all places were taken was not begun: go on with it at once instead of at the next sweep.
        while kind == RunKind.CRON and execute_next(RunKind.CRON):
            pass
    finally:
        places.release()


@shared_task(name="agents.sweep", ignore_result=True)
def sweep() -> None:
    recovery.sweep()


@shared_task(name="agents.keep_quiet", ignore_result=True)
def keep_quiet() -> None:
    keeper.keep_what_is_quiet()


@shared_task(name="agents.sum_up", ignore_result=True)
def sum_up() -> None:
    summing_up.start_due()


@shared_task(name="agents.prune_working_memory", ignore_result=True)
def prune_working_memory() -> None:
    summing_up.prune()


@shared_task(name="agents.prune_coding_homes", ignore_result=True)
def prune_coding_homes() -> None:
    prune_homes()


@shared_task(name="agents.prune_refusals", ignore_result=True)
def prune_refusals() -> None:
    rules.prune_refusals()


@shared_task(name="agents.cortex", ignore_result=True)
def cortex() -> None:
    runner.run_due()


@shared_task(name="agents.mcp_look", ignore_result=True)
def mcp_look(server_id: int) -> None:
    looking.look(server_id)


@shared_task(name="agents.mcp_look_at_due", ignore_result=True)
def mcp_look_at_due() -> None:
    for server_id in looking.due():
        mcp_look.delay(server_id)


@shared_task(name="agents.mcp_sign_in", ignore_result=True)
def mcp_sign_in(server_id: int, user_id: int) -> None:
    looking.sign_in(server_id, user_id)


@shared_task(name="agents.autonomy", ignore_result=True)
def start_by_themselves() -> None:
    autonomy.start_due()
