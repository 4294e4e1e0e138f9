from __future__ import annotations

import asyncio
import signal
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from messaging.adapters.base import InboundMessage
from messaging.models import Handling
from messaging.services.inbound import store_inbound
from realtime.services import unit_of_work
from spacebot_site.gateway import Gateway
from spacebot_site.launch.health import pulse_path


class Command(BaseCommand):
    help = "Hold the connections to chat platforms until told to stop."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        pulse = pulse_path(settings.SPACEBOT_HOME, "gateway")
        pulse.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        asyncio.run(_run(Gateway(receive, pulse=pulse)))


def receive(inbound: InboundMessage) -> None:
    """Store a message from a platform and wake the agent it is for, in one transaction."""
    from agents.engine import wakeups

    with unit_of_work():
        conversation, message, created = store_inbound(inbound)
        if conversation and message and created and message.handling == Handling.UNANSWERED:
            delay_s = wakeups.coalesce_delay_s(conversation)
            wakeups.ensure_channel_run(conversation, delay_s=delay_s, person_id=message.person_id)


async def _run(gateway: Gateway) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await gateway.run(stop)
