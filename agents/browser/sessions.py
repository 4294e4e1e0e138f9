"""One browser per run of this process: started at its first use, closed when it idles or its run has ended."""

from __future__ import annotations

import atexit
import threading
import time

from agents.browser.errors import NoBrowser
from agents.browser.session import Session
from agents.egress.checking import Checker
from agents.models import LIVE_STATES, Run
from llm.types import CancelToken

MOST_AT_ONCE = 6
IDLE_S = 600.0
LOOK_S = 20.0

_lock = threading.Lock()
_sessions: dict[int, Session] = {}
_watching = False


def find_session(run_id: int) -> Session | None:
    with _lock:
        session = _sessions.get(run_id)
        if session is not None:
            session.used_at = time.monotonic()
        return session


def open_session(run_id: int, checker: Checker, cancel: CancelToken | None) -> Session:
    """Return the run's browser, started if it has none. Raises what starting one raises."""
    found = find_session(run_id)
    if found is not None and found.is_open:
        return found
    close_session(run_id)
    with _lock:
        if len(_sessions) >= MOST_AT_ONCE:
            raise NoBrowser(f"{MOST_AT_ONCE} browsers are open here already; try again later")
        session = _sessions[run_id] = Session(checker)
    try:
        session.start(cancel)
    except BaseException:
        with _lock:
            _sessions.pop(run_id, None)
        raise
    _watch()
    return session


def close_session(run_id: int) -> bool:
    with _lock:
        session = _sessions.pop(run_id, None)
    if session is not None:
        session.close()
    return session is not None


def execution_ended(run_id: int) -> None:
    """Close the browser of a run that has ended; one that waits keeps its browser until it idles."""
    with _lock:
        if run_id not in _sessions:
            return
    if not Run.objects.filter(pk=run_id, state__in=LIVE_STATES).exists():
        close_session(run_id)


def close_all() -> None:
    for run_id in list(_sessions):
        close_session(run_id)


def close_idle() -> None:
    late = time.monotonic() - IDLE_S
    for run_id in [run_id for run_id, session in list(_sessions.items()) if session.used_at < late]:
        close_session(run_id)


def _watch() -> None:
    global _watching
    with _lock:
        if _watching:
            return
        _watching = True
    threading.Thread(target=_keep_watch, name="idle-browsers", daemon=True).start()


def _keep_watch() -> None:
    global _watching
    while True:
        time.sleep(LOOK_S)
        close_idle()
        with _lock:
            if not _sessions:
                _watching = False
                return


atexit.register(close_all)
