"""Which class executes which kind of run."""

from __future__ import annotations

from agents.engine.claims import Claim
from agents.models import Run, RunKind
from agents.processes.autonomy import Autonomous
from agents.processes.base import Process
from agents.processes.branch import Branch
from agents.processes.channel import Channel
from agents.processes.coder import Coder, is_coding
from agents.processes.colleague import Colleague
from agents.processes.compactor import Compactor
from agents.processes.cortex_chat import CortexChat, is_cortex_chat
from agents.processes.cron import Cron
from agents.processes.keeper import Keeper
from agents.processes.synthesiser import Synthesiser
from agents.processes.worker import Worker

PROCESSES: dict[str, type[Process]] = {
    RunKind.CHANNEL: Channel,
    RunKind.BRANCH: Branch,
    RunKind.WORKER: Worker,
    RunKind.COMPACTION: Compactor,
    RunKind.KEEPING: Keeper,
    RunKind.COLLEAGUE: Colleague,
    RunKind.SYNTHESIS: Synthesiser,
    RunKind.CRON: Cron,
    RunKind.AUTONOMY: Autonomous,
}


def process_for(run: Run, claim: Claim) -> Process:
    """Return an execution of the run. The channel of a conversation about the system itself is the cortex chat, and a worker may
    be a coding agent.
    """
    if run.kind == RunKind.CHANNEL and is_cortex_chat(run.conversation):
        return CortexChat(run, claim)
    if run.kind == RunKind.WORKER and is_coding(run):
        return Coder(run, claim)
    return PROCESSES[run.kind](run, claim)
