"""What is planned and due."""

from __future__ import annotations

from tasks.models.schedules import (
    LIVE_EXECUTIONS,
    Decision,
    DeliveryResult,
    Execution,
    Firing,
    Misfire,
    Overlap,
    Reason,
    Schedule,
    ScheduleKind,
    ScheduleState,
    Trigger,
)

__all__ = [
    "LIVE_EXECUTIONS",
    "Decision",
    "DeliveryResult",
    "Execution",
    "Firing",
    "Misfire",
    "Overlap",
    "Reason",
    "Schedule",
    "ScheduleKind",
    "ScheduleState",
    "Trigger",
]
