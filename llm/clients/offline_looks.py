"""Which tool of the cortex chat a question is about, for the offline rules."""

from __future__ import annotations

import re
from typing import Any

_RUN = re.compile(r"\brun\s+#?(\d{1,18})\b", re.I)
_ASKED = (
    (re.compile(r"\b(cost|price|spen[dt]|money|tokens?|expensive|usage)", re.I), "costs"),
    (re.compile(r"\b(fail|error|broke|wrong|crash)", re.I), "list_failures"),
    (re.compile(r"\b(unanswered|stuck|deliver|waiting|not answered)", re.I), "list_unsettled"),
    (re.compile(r"\b(config|set ?up|provider|model|route|platform|setting)", re.I), "configuration"),
    (re.compile(r"\b(memor|know)", re.I), "memory_statistics"),
    (
        re.compile(r"\b(job|circuit|breaker|cortex|log)\b|\bjobs\b|\bbreakers\b|\bcircuits\b", re.I),
        "cortex_state",
    ),
    (re.compile(r"\bruns?\b|\brunning\b|under way", re.I), "list_runs"),
)
LOOKS = frozenset({"inspect_run", "system_overview", *(tool for _, tool in _ASKED)})


def find_look(question: str) -> tuple[str, dict[str, Any]]:
    """Return the call that answers best; the overview when the question names nothing."""
    if named := _RUN.search(question):
        return "inspect_run", {"run_id": int(named.group(1))}
    for pattern, tool in _ASKED:
        if pattern.search(question):
            return tool, {}
    return "system_overview", {}
