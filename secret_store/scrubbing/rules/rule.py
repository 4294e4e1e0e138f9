"""One kind of secret: anchors that a fast search finds, and the expression that decides there."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass

PLACEHOLDER = re.compile(
    rb"(?i)\A(?:x+|\*+|\.+|0+|1234\w*|(?:your|my|the|some|an?|test|fake|dummy|example|sample|secret|password|passwd|pass|"
    rb"token|changeme|change-me|placeholder|redacted|none|null|true|false|undefined|user(?:name)?|admin|root|foo|bar)"
    rb"(?:[-_. ]?[a-z]{0,12}){0,4}|[<${%\[].*)\Z"
)


@dataclass(frozen=True)
class Rule:
    """`anchors` are lower case. The expression is tried at an anchor, or up to `back` bytes before it.

    A group called `value`, if there is one, is what is secret. `entropy` in bits per byte is the least that counts.
    """

    id: str
    anchors: tuple[bytes, ...]
    expression: re.Pattern[bytes]
    back: int = 0
    reach: int = 512
    entropy: float = 0.0

    def find(self, data: bytes, at: int) -> tuple[int, int] | None:
        """Return the stretch that is secret, if there is one at this anchor."""
        if self.back:
            match = self.expression.search(data, max(0, at - self.back), at + self.reach)
        else:
            match = self.expression.match(data, at)
        if match is None:
            return None
        group = "value" if "value" in self.expression.groupindex else 0
        return match.span(group) if self.counts(match.group(group)) else None

    def counts(self, value: bytes) -> bool:
        """Say whether what the expression found is random enough to be a secret."""
        return not self.entropy or is_random(value, self.entropy)


def is_random(value: bytes, least: float) -> bool:
    """Say whether it looks drawn by lot: letters and digits mixed, and no word of an example."""
    if PLACEHOLDER.match(value) or value.isalpha() or not any(48 <= byte < 58 for byte in value):
        return False
    return entropy(value) >= least


def entropy(value: bytes) -> float:
    """Shannon's, in bits per byte."""
    size = len(value)
    return -sum(count / size * math.log2(count / size) for count in Counter(value).values())
