"""A request from outside that wakes an agent: the token in its address opens it, a signature may be asked for as well."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.errors import Conflict, Forbidden, NotFound
from accounts.rate_limits import TooManyRequests
from tasks.errors import TooLarge
from tasks.models import Wake, WakePayload
from tasks.services.wakes.definitions import digest_of, signing_key_of
from tasks.services.wakes.ringing import fire

MOST_BYTES = 64 * 1024
MOST_A_MINUTE = 60
SIGNATURE_HEADERS = ("X-Spacebot-Signature", "X-Hub-Signature-256")


def receive(token: str, body: bytes, *, signature: str = "") -> Wake:
    """Keep a request's body for the next run; return the wake.

    Raises NotFound for an unknown token, Conflict where the wake is switched off, Forbidden for a missing or wrong signature,
    TooLarge and TooManyRequests at the limits; nothing is kept then.
    """
    wake = Wake.objects.filter(token_digest=digest_of(token), trigger="webhook").first()
    if wake is None:
        raise NotFound("There is nothing at this address.")
    if len(body) > MOST_BYTES:
        raise TooLarge(f"A request holds {MOST_BYTES // 1024} KiB at most.")
    if wake.signed and not is_signed(token, body, signature):
        raise Forbidden("The signature is missing or wrong.")
    if not wake.enabled:
        raise Conflict("This webhook is switched off.")
    with transaction.atomic():
        # The row's lock makes requests at once count each other.
        Wake.objects.select_for_update(no_key=True).get(pk=wake.pk)
        since = timezone.now() - timedelta(minutes=1)
        if WakePayload.objects.filter(event__wake=wake, created_at__gt=since).count() >= MOST_A_MINUTE:
            raise TooManyRequests(60)
        fire(wake.pk, payload=_read(body), from_outside=True)
    return wake


def is_signed(token: str, body: bytes, signature: str) -> bool:
    """Check `sha256=<hex>` or the bare digest: HMAC-SHA256 over the body with the webhook's signing key."""
    wanted = hmac.new(signing_key_of(token).encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(wanted.encode(), signature.removeprefix("sha256=").strip().lower().encode())


def _read(body: bytes) -> Any:
    """Return JSON as what it is, and anything else as text."""
    text = body.decode(errors="replace")
    try:
        return json.loads(text, parse_constant=str)
    except (ValueError, RecursionError):
        return {"text": text}
