from __future__ import annotations

import asyncio
import signal
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from agents.services.conversations import receive_message
from spacebot_site.gateway import Gateway
from spacebot_site.launch.health import pulse_path


class Command(BaseCommand):
    help = "Hold the connections to chat platforms until told to stop."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        pulse = pulse_path(settings.SPACEBOT_HOME, "gateway")
        pulse.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        asyncio.run(_run(Gateway(receive_message, pulse=pulse)))


async def _run(gateway: Gateway) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await gateway.run(stop)
