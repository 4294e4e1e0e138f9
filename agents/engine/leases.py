"""Keeps the leases of everything this process executes, and notices cancellation and deadlines.

One thread per process. Each second it reads the rows of the active runs in one query; every few seconds it renews
their leases. Rows that another transaction holds are skipped: they are being written right now.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator

from django.db import Error, connection

from accounts.logs import get_logger
from agents.engine.claims import LEASE_S, RENEW_S, Claim, lease_owner

log = get_logger(__name__)

RENEW = """
update agents_run set lease_expires_at = now() + %s * interval '1 second'
 where id in (
    select id from agents_run
     where id = any(%s) and state = 'running' and lease_owner = %s
     order by id for no key update skip locked)
"""
LOOK = """
select id, fence, cancel_requested_at is not null, cancel_reason
  from agents_run where id = any(%s) and state = 'running'
"""


class LeaseKeeper:
    """Call `keep(claim)` around an execution. `poll_s` is how long a cancellation may go unnoticed."""

    def __init__(self, *, poll_s: float = 0.5) -> None:
        self.poll_s = poll_s
        self._claims: dict[int, Claim] = {}
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._renewed_at = time.monotonic()

    @contextlib.contextmanager
    def keep(self, claim: Claim) -> Iterator[None]:
        with self._lock:
            if not self._claims:
                self._renewed_at = time.monotonic()
            self._claims[claim.run_id] = claim
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="leases", daemon=True)
                self._thread.start()
        self._wake.set()
        try:
            yield
        finally:
            with self._lock:
                if self._claims.get(claim.run_id) is claim:
                    del self._claims[claim.run_id]

    def _run(self) -> None:
        while True:
            with self._lock:
                claims = dict(self._claims)
            if not claims:
                self._wake.clear()
                if not self._claims:
                    connection.close()
                    self._wake.wait()
                self._wake.wait(self.poll_s)
                continue
            try:
                self._look(claims)
            except Error as error:
                log.warning("leases.database_unavailable", error=str(error))
                with contextlib.suppress(Error):
                    connection.close()
                if time.monotonic() - self._renewed_at > LEASE_S:
                    for claim in claims.values():
                        claim.cancel.cancel("lost")
            time.sleep(self.poll_s)

    def _look(self, claims: dict[int, Claim]) -> None:
        now = time.monotonic()
        ids = list(claims)
        with connection.cursor() as cursor:
            if now - self._renewed_at > RENEW_S:
                cursor.execute(RENEW, [LEASE_S, ids, lease_owner()])
                self._renewed_at = now
            cursor.execute(LOOK, [ids])
            found = {row[0]: row[1:] for row in cursor.fetchall()}
        connection.close()
        for run_id, claim in claims.items():
            fence, cancelled, reason = found.get(run_id, (None, False, ""))
            if fence is not None and fence != claim.fence:
                claim.cancel.cancel("lost")
            elif cancelled:
                claim.cancel.cancel(f"cancelled: {reason}" if reason else "cancelled")
            elif now - claim.started > claim.active_limit_s:
                claim.cancel.cancel("deadline")


keeper = LeaseKeeper()
