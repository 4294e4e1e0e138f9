"""Agents, and everything they do."""

from __future__ import annotations

from agents.models.agent import Agent
from agents.models.context import Checkpoint, Keeping
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

__all__ = [
    "LIVE_STATES",
    "TERMINAL_STATES",
    "Agent",
    "CallState",
    "Checkpoint",
    "Keeping",
    "Policy",
    "Prompt",
    "Report",
    "ReportState",
    "Run",
    "RunInput",
    "RunKind",
    "RunState",
    "Step",
    "ToolCall",
    "ToolPolicy",
]
