"""Which class executes which kind of run."""

from __future__ import annotations

from agents.models import RunKind
from agents.processes.base import Process
from agents.processes.branch import Branch
from agents.processes.channel import Channel
from agents.processes.compactor import Compactor
from agents.processes.cron import Cron
from agents.processes.keeper import Keeper
from agents.processes.worker import Worker

PROCESSES: dict[str, type[Process]] = {
    RunKind.CHANNEL: Channel,
    RunKind.BRANCH: Branch,
    RunKind.WORKER: Worker,
    RunKind.COMPACTION: Compactor,
    RunKind.KEEPING: Keeper,
    RunKind.CRON: Cron,
}
