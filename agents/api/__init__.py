"""Agents, conversations, runs and memories over HTTP."""

from __future__ import annotations

from agents.api import (
    agents,
    attachments,
    autonomy,
    conversations,
    cortex,
    egress,
    memories,
    memory_export,
    memory_inbox,
    memory_merges,
    messages,
    policies,
    reactions,
    runs,
    sandbox,
    wakes,
    working,
)
from agents.links import api as links
from agents.mcp import api as mcp
from agents.questions import api as questions

# Inbox, merges and export stand before the memories: their addresses would else be read as a memory's.
routers = (
    agents.router,
    links.router,
    cortex.router,
    autonomy.router,
    wakes.router,
    conversations.router,
    messages.router,
    attachments.router,
    reactions.router,
    runs.router,
    questions.router,
    policies.router,
    mcp.router,
    sandbox.router,
    egress.router,
    memory_inbox.router,
    memory_export.router,
    memory_merges.router,
    memories.router,
    working.router,
)
