from __future__ import annotations

import pytest

from accounts.logs import get_logger


def test_an_event_is_a_name_and_its_fields(caplog: pytest.LogCaptureFixture) -> None:
    log = get_logger("spacebot.test")
    log.bind(run=7).warning("run.lost", reason="no lease\nleft")
    log.info("too.quiet", hidden=1)
    assert [record.getMessage() for record in caplog.records] == ["run.lost run=7 reason='no lease\\nleft'"]


def test_an_exception_keeps_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    try:
        raise ValueError("bad")
    except ValueError:
        get_logger("spacebot.test").exception("it.failed")
    assert caplog.records[0].exc_info is not None
    assert "ValueError: bad" in caplog.text
