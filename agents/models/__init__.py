"""Agents, and everything they do."""

from __future__ import annotations

from agents.models.agent import Agent
from agents.models.autonomy import Autonomy, AutonomyRule, Halt
from agents.models.context import Checkpoint, Keeping
from agents.models.cortex import Breaker, BreakerState, CortexJob, CortexLog, Profile
from agents.models.links import AgentLink, LinkKind
from agents.models.policy import Policy, ToolPolicy
from agents.models.record import CallState, Prompt, Step, ToolCall
from agents.models.run import (
    LIVE_STATES,
    TERMINAL_STATES,
    Report,
    ReportState,
    Run,
    RunInput,
    RunKind,
    RunState,
)
from agents.models.working import EventType, Synthesis, SynthesisKind, WorkingEvent, WorkingState

__all__ = [
    "LIVE_STATES",
    "TERMINAL_STATES",
    "Agent",
    "AgentLink",
    "Autonomy",
    "AutonomyRule",
    "Breaker",
    "BreakerState",
    "CallState",
    "Checkpoint",
    "CortexJob",
    "CortexLog",
    "EventType",
    "Halt",
    "Keeping",
    "LinkKind",
    "Policy",
    "Profile",
    "Prompt",
    "Report",
    "ReportState",
    "Run",
    "RunInput",
    "RunKind",
    "RunState",
    "Step",
    "Synthesis",
    "SynthesisKind",
    "ToolCall",
    "ToolPolicy",
    "WorkingEvent",
    "WorkingState",
]
