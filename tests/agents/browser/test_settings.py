from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agents.browser.errors import NoBrowser
from agents.browser.finding import find_chromium
from agents.errors import ToolFailed
from agents.models import Run
from agents.services.egress import add_rule
from secret_store.services import set_secret
from tests.agents.browser.test_browser import ref
from tests.agents.egress.site import Site
from tests.factories import Team

Use = Callable[..., str]


def program(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def test_a_named_chromium_counts_before_a_fetched_one_and_that_before_the_systems(
    settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SPACEBOT_HOME, settings.SPACEBOT_CHROMIUM = tmp_path, ""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with pytest.raises(NoBrowser, match="install browser"):
        find_chromium()
    systems = program(tmp_path / "bin" / "chromium")
    assert find_chromium() == systems
    fetched = program(tmp_path / "browsers" / "chromium-1" / "chrome-linux" / "chrome")
    assert find_chromium() == fetched
    named = program(tmp_path / "mine")
    settings.SPACEBOT_CHROMIUM = str(named)
    assert find_chromium() == named
    named.chmod(0o600)
    with pytest.raises(NoBrowser, match="SPACEBOT_CHROMIUM names"):
        find_chromium()


@pytest.mark.browser
def test_a_list_of_hosts_holds_for_the_browser(site: Site, use: Use, team: Team) -> None:
    add_rule(team.owner, kind="allow", host="docs.example.org")
    site.pages = {"/": (200, {}, b"<p>by its exception</p>")}
    assert "by its exception" in use("navigate", url=site.url)
    with pytest.raises(ToolFailed, match="not among the hosts this agent may reach"):
        use("navigate", url="http://elsewhere.org/")


@pytest.mark.browser
def test_a_stored_secret_is_typed_where_it_is_bound_and_a_system_secret_nowhere(
    site: Site, use: Use, run: Run, team: Team
) -> None:
    for name, category, origins in (
        ("LOGIN", "tool", [site.url]),
        ("ELSEWHERE", "tool", ["https://example.org"]),
        ("OURS", "system", [site.url]),
    ):
        set_secret(
            None, team.organization, name=name, value=f"value-of-{name}", category=category, origins=origins
        )
    site.pages = {
        "/": (
            200,
            {},
            b"<form action=/sent><label>Word <input name=word></label><button>Send</button></form>",
        )
    }
    page = use("navigate", url=site.url)
    for name in ("ELSEWHERE", "OURS"):
        with pytest.raises(ToolFailed, match=f"no secret {name} is bound"):
            use("type", ref=ref(page, "Word"), secret=name)
    use("type", ref=ref(page, "Word"), secret="LOGIN")
    use("click", ref=ref(use("snapshot"), "Send"))
    assert "/sent?word=value-of-LOGIN" in site.paths()
