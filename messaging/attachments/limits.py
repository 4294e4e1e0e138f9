"""How large, and how many."""

from __future__ import annotations

MAX_BYTES = 25 * 1024 * 1024
MOST_PER_MESSAGE = 10
MOST_UNSENT = 20
"""How many files one person may have uploaded into a conversation without sending them."""
