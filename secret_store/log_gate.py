"""Log lines and tracebacks without secrets, whichever logger, handler or format writes them.

Known are the values that this process has read for any organization, and what looks like a secret.
"""

from __future__ import annotations

import logging
from typing import Any

from secret_store import shields
from secret_store.scrubbing.scrubber import Scrubber

_tracebacks = logging.Formatter()


def install() -> None:
    """Scrub every log record of this process as it is made. Installing it twice does nothing."""
    factory = logging.getLogRecordFactory()
    if not isinstance(factory, _Factory):
        logging.setLogRecordFactory(_Factory(factory))


class _Factory:
    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __call__(self, *args: Any, **named: Any) -> logging.LogRecord:
        record: logging.LogRecord = self._inner(*args, **named)
        try:
            _scrub(record, shields.scrubber_for_logs())
        except Exception:
            # A line that cannot be looked at is not written; that there was one is.
            record.msg, record.args = "[a log line that could not be scrubbed]", None
        return record


def _scrub(record: logging.LogRecord, scrubber: Scrubber) -> None:
    text = record.getMessage()
    done = scrubber.scrub(text)
    if done.hits:
        # Some formatters read the arguments, so these are kept where scrubbing them is enough.
        record.msg = scrubber.scrub(record.msg).text if isinstance(record.msg, str) else record.msg
        record.args = _arguments(record.args, scrubber)
        if scrubber.scrub(record.getMessage()).hits:
            record.msg, record.args = done.text, None
    if record.exc_info and record.exc_info[0] is not None:
        record.exc_text = scrubber.scrub(_tracebacks.formatException(record.exc_info)).text
    if record.stack_info:
        record.stack_info = scrubber.scrub(record.stack_info).text


def _arguments(arguments: Any, scrubber: Scrubber) -> Any:
    if isinstance(arguments, dict):
        return {key: _argument(value, scrubber) for key, value in arguments.items()}
    if isinstance(arguments, tuple):
        return tuple(_argument(value, scrubber) for value in arguments)
    return arguments


def _argument(value: Any, scrubber: Scrubber) -> Any:
    if isinstance(value, int | float | None):
        return value
    done = scrubber.scrub(str(value))
    return done.text if done.hits or isinstance(value, str) else value
