"""Agents, conversations, runs and memories over HTTP."""

from __future__ import annotations

from agents.api import agents, conversations, memories, memory_inbox, messages, policies, reactions, runs

# The inbox stands before the memories: its address would else be read as a memory's.
routers = (
    agents.router,
    conversations.router,
    messages.router,
    reactions.router,
    runs.router,
    policies.router,
    memory_inbox.router,
    memories.router,
)
