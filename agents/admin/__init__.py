"""Agents and their work in the admin: here, and beside the subjects that have a package of their own."""

from __future__ import annotations

from agents.admin import agents, runs, tools, working
from agents.autonomy import admin as autonomy
from agents.egress import admin as egress
from agents.questions import admin as questions

__all__ = ["agents", "autonomy", "egress", "questions", "runs", "tools", "working"]
