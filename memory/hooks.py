"""Functions of higher packages that hear of changes to what is known, inside the transaction of the change.

The site fills the lists. What a hook writes is committed with the change or not at all.
"""

from __future__ import annotations

from collections.abc import Callable

from memory.models import IngestedFile, Memory
from memory.types import Author

on_saved: list[Callable[[Memory, Memory | None, Author], None]] = []
"""Each is called with a new memory, the one it replaces, and who saved it."""

on_contradicted: list[Callable[[Memory, Author], None]] = []
"""Each is called with a new memory that contradicts others."""

on_edited: list[Callable[[Memory, Author, int], None]] = []
"""Each is called with a memory whose text changed, who changed it, and the id of the edit."""

on_withdrawn: list[Callable[[Memory], None]] = []
"""Each is called with a memory that was forgotten, or whose audience changed."""

on_ingested: list[Callable[[IngestedFile], None]] = []
"""Each is called with a file that was read to its end."""
