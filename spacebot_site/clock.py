"""Celery's beat as a thread of the worker: on one machine a process of its own would cost 80 MB for nothing.

Many machines run `celery -A spacebot_site.celery beat` once instead, and workers without `SPACEBOT_CLOCK`.
"""

from __future__ import annotations

import logging
import threading
import time

from celery import Celery
from celery.beat import Service

log = logging.getLogger(__name__)
RETRY_S = 5.0


def start_clock(app: Celery) -> threading.Thread:
    """Send what is due to the queue, for as long as the process lives."""
    thread = threading.Thread(target=_tick_forever, args=(app,), name="clock", daemon=True)
    thread.start()
    return thread


def _tick_forever(app: Celery) -> None:
    while True:
        try:
            Service(app, scheduler_cls=app.conf.beat_scheduler).start()
            return
        except Exception:
            log.exception("The clock stopped; it starts again in %s s", RETRY_S)
            time.sleep(RETRY_S)
