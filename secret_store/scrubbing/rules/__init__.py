"""What secrets of others look like: one table by their own shape, one by the name that stands before them, one of blocks.

Every expression is bounded and runs only where its anchor was found, so a text is read in linear time. A new kind of token:
one line in the table it fits, and an example in `tests/secret_store/scrubbing/examples.py`.
"""

from __future__ import annotations

from secret_store.scrubbing.rules import named, shapes, tokens
from secret_store.scrubbing.rules.rule import Rule

RULES: tuple[Rule, ...] = (*shapes.RULES, *tokens.RULES, *named.RULES)

__all__ = ["RULES", "Rule"]
