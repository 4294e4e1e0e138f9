"""What a provider's "too long" teaches: the real ceiling of a model, for every process and machine."""

from __future__ import annotations

import logging

from django.db.models import Q

from llm.models import ModelEntry
from llm.services.routing import Candidate, forget_routing

log = logging.getLogger(__name__)

SHARE_OF_REFUSED = 0.9
SMALLEST = 2_000


def learn_window(candidate: Candidate, limit_tokens: int | None, refused_tokens: int) -> None:
    """Lower what we take a model's window for: to the limit it named, else to 90 % of what it refused.

    A window is never raised here, nor lowered below 2,000 tokens. Where our estimate was under a limit that was
    named, the estimate was short, and the share of the refused size counts.
    """
    taught = int(refused_tokens * SHARE_OF_REFUSED)
    if limit_tokens:
        taught = min(limit_tokens, taught) if refused_tokens < limit_tokens else limit_tokens
    taught = max(SMALLEST, taught)
    lower = Q(learned_window=None, context_window__gt=taught) | Q(learned_window__gt=taught)
    row = ModelEntry.objects.filter(lower, pk=candidate.entry_id)
    organization = row.values_list("organization_id", flat=True).first()
    if organization is not None and row.update(learned_window=taught):
        log.warning("%s takes %d tokens at most, as it turned out", candidate.model, taught)
        forget_routing(organization)
