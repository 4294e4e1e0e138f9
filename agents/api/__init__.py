"""Agents, conversations, runs and memories over HTTP."""

from __future__ import annotations

from agents.api import agents, conversations, memories, memory_inbox, memory_merges, messages, reactions, runs

# Inbox and merges stand before the memories: their addresses would else be read as a memory's.
routers = (
    agents.router,
    conversations.router,
    messages.router,
    reactions.router,
    runs.router,
    memory_inbox.router,
    memory_merges.router,
    memories.router,
)
