"""Agents, conversations and runs over HTTP."""

from __future__ import annotations

from agents.api import agents, conversations, messages, reactions, runs

routers = (agents.router, conversations.router, messages.router, reactions.router, runs.router)
