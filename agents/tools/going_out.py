"""What all tools that go out share: errors in words for a model, and the record of what was refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from agents.egress.errors import EgressError, Refused, Stopped, TimedOut, Unreachable
from agents.egress.rules import record_refusal
from agents.errors import RunStopped, ToolFailed, ToolRetry
from agents.models import Run


@contextmanager
def going_out(run: Run) -> Iterator[None]:
    try:
        yield
    except Refused as error:
        record_refusal(run, error)
        raise ToolFailed(f"{error}. Another spelling of it is refused too") from None
    except Stopped as error:
        raise RunStopped(str(error)) from None
    except (TimedOut, Unreachable) as error:
        raise ToolRetry(f"Not fetched: {error}.") from None
    except EgressError as error:
        raise ToolFailed(str(error)) from None
