"""Structured log lines on Python's own logging: an event's name, then `key=value` for what it is about."""

from __future__ import annotations

import logging
from typing import Any


class EventLogger:
    """`log.warning("run.lost", run=7)` writes `run.lost run=7`; values are shown as `repr` where they hold spaces."""

    def __init__(self, name: str, fields: dict[str, Any] | None = None) -> None:
        self._name, self._fields = name, fields or {}
        self._logger = logging.getLogger(name)

    def bind(self, **fields: Any) -> EventLogger:
        """Return a logger that writes these fields with every line."""
        return EventLogger(self._name, {**self._fields, **fields})

    def info(self, event: str, **fields: Any) -> None:
        self._write(logging.INFO, event, fields)

    def warning(self, event: str, **fields: Any) -> None:
        self._write(logging.WARNING, event, fields)

    def error(self, event: str, **fields: Any) -> None:
        self._write(logging.ERROR, event, fields)

    def exception(self, event: str, **fields: Any) -> None:
        """Write an error with the traceback of the exception being handled."""
        self._write(logging.ERROR, event, fields, exc_info=True)

    def _write(self, level: int, event: str, fields: dict[str, Any], *, exc_info: bool = False) -> None:
        if self._logger.isEnabledFor(level):
            shown = (f"{key}={_show(value)}" for key, value in {**self._fields, **fields}.items())
            text = " ".join([event, *shown])
            self._logger.log(level, "%s", text, exc_info=exc_info)


def get_logger(name: str) -> EventLogger:
    return EventLogger(name)


def _show(value: Any) -> str:
    text = str(value)
    return text if text.isprintable() and " " not in text else repr(text)
