from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from django.utils import timezone

from agents.browser import bound_secrets, sessions
from agents.errors import RunStopped, ToolFailed, ToolRetry
from agents.models import EgressRefusal, EgressRule, Run, RunState, ToolCall
from llm.clients.scripted import call
from llm.types import CancelToken
from messaging.attachments.pictures import pictures_of
from messaging.attachments.store import open_attachment
from tests.agents.conftest import Engine
from tests.agents.egress.site import Site

DONE = call("set_outcome", status="done", summary="Read.")
pytestmark = pytest.mark.browser
Use = Callable[..., str]
FORM = b"""<title>Form</title><form action=/sent><label>Name <input name=name></label>
<label>Colour <select name=colour><option>red<option>blue</select></label><label>File <input type=file name=file></label>
<button>Send</button></form><a href=/data.csv download>Data</a><a href=/two target=_blank>Two</a>"""


def ref(text: str, name: str) -> str:
    found = re.search(rf"{re.escape(name)}[^\n]*\[ref=((?:f\d+)?e\d+)\]", text)
    assert found, text
    return found[1]


def test_a_form_is_seen_filled_and_sent(site: Site, use: Use, tmp_path: Path) -> None:
    site.pages = {"/": (200, {}, FORM), "/sent": (200, {}, b"<h1>Thanks</h1>")}
    page = use("navigate", url=site.url)
    assert page.splitlines()[0] == f"[from {site.url}/ \u201cForm\u201d]"
    assert all(line.startswith("|") for line in page.splitlines()[2:-1])
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "a.txt").write_text("hello")
    use("type", ref=ref(page, "Name"), text="Ada")
    use("select", ref=ref(page, "Colour"), values=["blue"])
    use("upload", ref=ref(page, "File"), paths=["a.txt"])
    assert "Thanks" in use("click", ref=ref(use("snapshot"), "Send"))
    assert any("name=Ada&colour=blue&file=a.txt" in path for path in site.paths())


def test_pictures_texts_downloads_and_pdfs_end_in_the_workspace(site: Site, use: Use, tmp_path: Path) -> None:
    site.pages = {
        "/": (200, {}, FORM),
        "/data.csv": (200, {"content-type": "text/csv", "content-disposition": "attachment"}, b"a,b\n"),
    }
    page = use("navigate", url=site.url)
    assert use("download", ref=ref(page, "Data")) == "Saved as browser/data.csv."
    assert use("screenshot") == "Saved as browser/page.png."
    assert use("screenshot", full_page=True) == "Saved as browser/page-2.png."
    assert use("pdf") == "Saved as browser/page.pdf."
    folder = tmp_path / "work" / "browser"
    assert (folder / "data.csv").read_bytes() == b"a,b\n"
    assert (folder / "page.png").read_bytes().startswith(b"\x89PNG")
    assert (folder / "page.pdf").read_bytes().startswith(b"%PDF")
    assert "| red\n| blue" in use("read_text")


def test_tabs_open_show_and_close(site: Site, use: Use) -> None:
    site.pages = {"/": (200, {}, FORM), "/two": (200, {}, b"<h1>Second</h1>")}
    page = use("navigate", url=site.url)
    use("click", ref=ref(page, "Two"))
    until = time.monotonic() + 60
    while "1 (in front)" not in (shown := use("tabs")) and time.monotonic() < until:
        time.sleep(0.1)
    assert "1 (in front)" in shown
    assert "Send" in use("tabs", act="show", tab=0)
    assert use("tabs", act="close", tab=1).partition("[from")[0].count("http") == 1


def test_windows_that_open_by_themselves_are_bounded(site: Site, use: Use) -> None:
    script = b"<button onclick=\"for (let i = 0; i < 30; i++) window.open('/two?' + i)\">Go</button>"
    site.pages = {"/": (200, {}, script), "/two": (200, {}, b"x")}
    use("click", ref=ref(use("navigate", url=site.url), "Go"))
    until = time.monotonic() + 60
    while (count := use("tabs").partition("[from")[0].count("http")) > 9 and time.monotonic() < until:
        time.sleep(0.2)  # Those that are too many open before they are closed.
    assert count <= 9


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "chrome://settings", "view-source:http://x.com", "javascript:alert(1)", "http://127.1:1/",
     "http://[::ffff:127.0.0.1]:1/", "http://169.254.169.254/"],
)  # fmt: skip
def test_no_address_leads_anywhere_else(use: Use, url: str) -> None:
    with pytest.raises(ToolFailed, match="refused"):
        use("navigate", url=url)


def test_what_a_page_tries_by_itself_reaches_nothing_private(site: Site, use: Use, run: Run) -> None:
    with Site({"/": (200, {"access-control-allow-origin": "*"}, b"inner")}) as inner:
        urls = [
            f"http://127.0.0.1:{inner.port}/",
            f"http://localhost:{inner.port}/",
            f"http://0x7f.1:{inner.port}/",
        ]
        script = f"""<img src="{urls[0]}"><iframe src="{urls[1]}"></iframe><link rel=stylesheet href="{urls[2]}"><script>
        const tries = [fetch('{urls[0]}'), fetch('{urls[1]}', {{mode: 'no-cors'}}), navigator.sendBeacon('{urls[2]}', 'x')];
        for (const host of ['127.0.0.1', 'localhost']) new WebSocket('ws://' + host + ':{inner.port}/');
        Promise.allSettled(tries).then(all => document.title = all.map(each => each.status).join());
        </script>"""
        site.pages = {"/": (200, {}, script.encode()), "/go": (302, {"location": urls[0]}, b"")}
        said = use("navigate", url=site.url)
        assert "not let through" in said + use("snapshot")
        with pytest.raises(ToolRetry, match="not let through"):
            use("navigate", url=f"{site.url}/go")
        assert inner.asked == []
    hosts = set(EgressRefusal.objects.filter(run=run).values_list("host", flat=True))
    assert {"127.0.0.1", "localhost"} <= hosts


def test_scripts_have_no_webrtc(site: Site, use: Use) -> None:
    site.pages = {"/": (200, {}, b"<script>document.write('rtc: ' + typeof RTCPeerConnection)</script>")}
    assert "rtc: undefined" in use("navigate", url=site.url)


def test_pages_that_block_are_told_with_a_picture(site: Site, use: Use, tmp_path: Path) -> None:
    site.pages = {
        "/login": (200, {}, b"<form><input name=u><input type=password name=p></form>"),
        "/captcha": (200, {}, b"<div class=g-recaptcha></div>"),
        "/challenge": (503, {}, b"<title>Just a moment...</title>"),
        "/fine": (200, {}, b"<p>Read about captcha and passwords.</p>"),
    }
    for path, words in [("login", "sign in"), ("captcha", "captcha"), ("challenge", "turns machines away")]:
        said = use("navigate", url=f"{site.url}/{path}")
        assert "Blocked: " in said
        assert words in said
    assert "Blocked" not in use("navigate", url=f"{site.url}/fine")
    assert len(list((tmp_path / "work" / "browser").glob("blocked*.png"))) == 3


def test_a_secret_is_typed_only_into_its_origin_and_never_shown(
    site: Site, use: Use, monkeypatch: pytest.MonkeyPatch
) -> None:
    value = "hunter2-and-more"
    bound = {("LOGIN", site.url): value}
    monkeypatch.setattr(
        bound_secrets, "_find", lambda organization, agent, name, origin: bound.get((name, origin))
    )
    with Site({"/": (200, {}, b"<label>Word <input></label>")}) as other:
        frame = f"<label>Word <input oninput='document.title = this.value'></label><iframe src='{other.url}'></iframe>"
        site.pages = {"/": (200, {}, frame.encode())}
        field = ref(use("navigate", url=site.url), "Word")
        said = use("type", ref=field, secret="LOGIN")
        assert value not in said + use("snapshot") + use("read_text")
        assert "[LOGIN]" in said
        with pytest.raises(ToolFailed, match="no secret OTHER is bound"):
            use("type", ref=field, secret="OTHER")
        bound.clear()
        with pytest.raises(ToolFailed, match="no secret LOGIN is bound"):
            use("type", ref=field, secret="LOGIN")


def test_cancelling_stops_a_page_that_never_comes(site: Site, use: Use) -> None:
    asked, over = threading.Event(), threading.Event()

    def hang(handler: BaseHTTPRequestHandler) -> None:
        asked.set()
        over.wait(90)

    site.pages = {"/": (200, {}, b"x"), "/hang": hang}
    use("navigate", url=site.url)
    cancel = CancelToken()
    threading.Thread(target=lambda: (asked.wait(60), cancel.cancel("stop")), daemon=True).start()
    begun = time.monotonic()
    with pytest.raises(RunStopped):
        use("navigate", cancel=cancel, url=f"{site.url}/hang")
    assert time.monotonic() - begun < 25
    over.set()


def test_a_browser_ends_with_its_run_and_when_it_idles(site: Site, use: Use, run: Run) -> None:
    site.pages = {"/": (200, {}, b"x")}
    use("navigate", url=site.url)
    sessions.execution_ended(run.pk)
    assert sessions.find_session(run.pk) is not None
    Run.objects.filter(pk=run.pk).update(state=RunState.SUCCEEDED, finished_at=timezone.now())
    sessions.execution_ended(run.pk)
    assert sessions.find_session(run.pk) is None
    with pytest.raises(ToolRetry, match="No page is open"):
        use("snapshot")
    use("navigate", url=site.url)
    session = sessions.find_session(run.pk)
    assert session is not None
    session.used_at -= sessions.IDLE_S + 1
    sessions.close_idle()
    assert sessions.find_session(run.pk) is None


def test_a_worker_browses_and_its_browser_ends_with_it(engine: Engine, site: Site) -> None:
    site.pages = {"/": (200, {}, b"<h1>Deploy day is Thursday</h1>")}
    EgressRule.objects.create(
        organization=engine.team.organization, kind="private", host="127.0.0.1", port=site.port
    )
    engine.script("channel", [call("spawn_worker", task="look it up"), "Started.", "Done."])
    engine.script(
        "worker",
        [call("browser_navigate", url=site.url), call("browser_screenshot"), DONE],
    )
    engine.say("Look it up")
    engine.settle()
    row = ToolCall.objects.get(name="browser_navigate")
    shot = ToolCall.objects.get(name="browser_screenshot")
    (seen,) = pictures_of(engine.team.organization.pk, shot.run_id)[shot.key]
    with open_attachment(seen) as file:
        assert file.read() == (engine.workspace / "browser" / "page.png").read_bytes()
    assert (row.state, "Deploy day is Thursday" in row.result) == ("succeeded", True)
    assert sessions.find_session(row.step.run_id) is None
