"""Everything of this package in the admin, to read: changes go through pages and API, which keep what was there before."""

from __future__ import annotations

from tasks.admin import approvals as approvals
from tasks.admin import board as board
from tasks.admin import schedules as schedules
from tasks.admin import wakes as wakes
