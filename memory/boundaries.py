"""Where a process that merges memories may be killed on purpose; see `accounts.boundaries`."""

from __future__ import annotations

MERGING = ("merge.before", "merge.written", "merge.committed")
