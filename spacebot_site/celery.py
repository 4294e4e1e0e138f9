"""The Celery application. A message is only a nudge to look at a row."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery
from celery.signals import worker_init, worker_ready

from spacebot_site import broker
from spacebot_site.clock import start_clock
from spacebot_site.environment import read_bool
from spacebot_site.launch.health import start_pulse

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "spacebot_site.settings")

broker.use()
app = Celery("spacebot")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(related_name="jobs")


@worker_ready.connect
def _begin(**_: Any) -> None:
    if read_bool("SPACEBOT_CLOCK", False):
        start_clock(app)
    start_pulse()


@worker_init.connect
def _warm_up(**_: Any) -> None:
    """Load what the first turn would otherwise wait for."""
    from llm.services.warm_up import warm_up

    warm_up()


@worker_ready.connect
def _recover(**_: Any) -> None:
    """Take up at once what a worker that died on this machine has left."""
    from agents.jobs import sweep

    sweep.delay()
