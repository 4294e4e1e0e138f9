"""Agents, conversations, runs and memories over HTTP."""

from __future__ import annotations

from agents.api import (
    agents,
    attachments,
    conversations,
    cortex,
    memories,
    memory_export,
    memory_inbox,
    memory_merges,
    messages,
    policies,
    reactions,
    runs,
    working,
)
from agents.links import api as links
from agents.questions import api as questions

# Inbox, merges and export stand before the memories: their addresses would else be read as a memory's.
routers = (
    agents.router,
    links.router,
    cortex.router,
    conversations.router,
    messages.router,
    attachments.router,
    reactions.router,
    runs.router,
    questions.router,
    policies.router,
    memory_inbox.router,
    memory_export.router,
    memory_merges.router,
    memories.router,
    working.router,
)
