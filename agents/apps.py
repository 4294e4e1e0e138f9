from __future__ import annotations

from django.apps import AppConfig


class AgentsConfig(AppConfig):
    name = "agents"
    label = "agents"
    verbose_name = "Agents"

    def ready(self) -> None:
        from agents.services.erasure import count_records_of, erase_records_of
        from agents.services.working_erasure import count_happenings_of, erase_happenings_of
        from memory.services.erasure import ERASERS, Eraser

        ERASERS.append(Eraser("records", erase_records_of, count_records_of))
        ERASERS.append(Eraser("happenings", erase_happenings_of, count_happenings_of))
