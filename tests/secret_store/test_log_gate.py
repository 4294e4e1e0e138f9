from __future__ import annotations

import logging

import pytest

from secret_store import shields
from secret_store.services import set_secret
from tests.factories import Team

VALUE = "v4lue-of-the-deploy-key"
log = logging.getLogger("tests.log_gate")


@pytest.fixture(autouse=True)
def known(team: Team) -> None:
    shields.forget()
    set_secret(None, team.organization, name="DEPLOY_KEY", value=VALUE)
    shields.look(team.organization.pk, None, mode=None)


def test_a_log_line_tells_no_secret_in_message_or_arguments(caplog: pytest.LogCaptureFixture) -> None:
    log.warning(f"said {VALUE}")
    log.warning("said %s", VALUE)
    log.warning("got %r and %d", {"key": VALUE}, 7)
    log.warning("hex %s", VALUE.encode().hex())
    log.warning("split %s%s", VALUE[:9], VALUE[9:])
    log.warning("a token ghp_%s", "a1B2c3D4e5" * 4)
    assert VALUE not in caplog.text
    assert VALUE.encode().hex() not in caplog.text
    assert caplog.text.count("[secret DEPLOY_KEY]") == 5
    assert "[secret github]" in caplog.text


def test_arguments_that_tell_nothing_stay_what_they_are(caplog: pytest.LogCaptureFixture) -> None:
    log.warning("%s asked for %s in %d ms", "10.0.0.1", f"/x?key={VALUE}", 12)
    (record,) = caplog.records
    assert record.args == ("10.0.0.1", "/x?key=[secret DEPLOY_KEY]", 12)


def test_a_traceback_tells_no_secret(caplog: pytest.LogCaptureFixture) -> None:
    try:
        raise ValueError(f"cannot sign in with {VALUE}")
    except ValueError:
        log.exception("it failed")
    assert VALUE not in caplog.text
    assert "ValueError: cannot sign in with [secret DEPLOY_KEY]" in caplog.text


def test_a_line_without_secrets_is_written_as_it_is(caplog: pytest.LogCaptureFixture) -> None:
    log.warning("100%% of %s", "words")
    assert caplog.messages == ["100% of words"]
