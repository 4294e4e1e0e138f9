"""One browser of one run: started behind the proxy, driven on the browsers' loop, and gone without a trace."""

from __future__ import annotations

import contextlib
import shutil
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agents.browser import folders, walls
from agents.browser.door import Door
from agents.browser.errors import BrowserError, BrowserGone
from agents.browser.finding import find_chromium
from agents.browser.loop import drive, driver
from agents.egress.checking import Checker
from agents.egress.passing import OUR_WORDS
from agents.egress.proxy import USER, FilterProxy, open_proxy
from agents.sandbox.environment import INSIDE_PROXY
from llm.types import CancelToken

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext, Download, Page

START_S = 45.0
CLOSE_S = 8.0
ENDED_S = 2.0
NAVIGATE_MS = 30_000
ACT_MS = 10_000
SETTLE_MS = 2_500
MOST_PAGES = 8
VIEWPORT = {"width": 1280, "height": 900}
ARGUMENTS = (
    "--disable-quic", "--force-webrtc-ip-handling-policy=disable_non_proxied_udp", "--disable-dev-shm-usage", "--disable-gpu",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run", "--no-pings",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--disable-features=WebRtcHideLocalIpsWithMdns,DnsOverHttps",
)  # fmt: skip
WITHOUT = "for (const name of ['RTCPeerConnection', 'webkitRTCPeerConnection', 'RTCDataChannel']) delete globalThis[name];"


class Session:
    """`page` is the tab in front. `status` is that of its last navigation; `is_proxys` says that our proxy answered it.

    `typed` are secrets that must not be shown.
    """

    def __init__(self, checker: Checker) -> None:
        self.page: Page
        self.context: BrowserContext
        self.proxy: FilterProxy
        self.status = 0
        self.is_proxys = False
        self.walls = ""
        self.used_at = time.monotonic()
        self.downloads: list[Download] = []
        self._door: Door
        self.expects_download = False
        self.typed: dict[str, str] = {}
        self._pictures: list[bytes] = []
        self._left = ExitStack()
        self._checker = checker

    def start(self, cancel: CancelToken | None = None) -> None:
        """Raises NoBrowser, BrowserError, TimedOut or Stopped; what was half started is gone then."""
        chromium = find_chromium()
        folder = folders.make_folder()
        self._left.callback(shutil.rmtree, folder, ignore_errors=True)
        try:
            for name in ("profile", "downloads"):
                (folder / name).mkdir(mode=0o700)
            sandbox = walls.sandbox_here()
            way_out = folder / "proxy" if sandbox.contains else None
            self.proxy = self._left.enter_context(open_proxy(self._checker, unix=way_out))
            self.walls = walls.name_of(sandbox)
            self._door = Door(
                folder, sandbox, lambda given: walls.command_of(chromium, given, folder, proxy=way_out)
            )
            self._left.callback(self._door.close)
            drive(self._launch(folder, is_contained=sandbox.contains), timeout_s=START_S, cancel=cancel)
        except BaseException:
            self._left.close()
            raise

    def close(self) -> None:
        """End the browser and everything of it; may be called twice and from any thread."""
        with contextlib.suppress(Exception):
            drive(self.context.close(), timeout_s=CLOSE_S)
        self._left.close()

    def broken_limit(self) -> str:
        """Return the limit for which the browser was ended, or nothing; waits a moment for its end."""
        return self._door.limit_within(ENDED_S)

    @property
    def is_open(self) -> bool:
        return bool(self.context.pages)

    def show(self, picture: bytes) -> None:
        """Let people see a picture of the page, unless a secret was typed here: a picture cannot be searched for it."""
        if not self.typed:
            self._pictures.append(picture)

    def take_pictures(self) -> tuple[bytes, ...]:
        found, self._pictures = tuple(self._pictures), []
        return found

    def hide(self, text: str) -> str:
        """Return a text of the page without the secrets that were typed into it."""
        for value, name in self.typed.items():
            text = text.replace(value, f"[{name}]")
        return text

    async def _launch(self, folder: Path, *, is_contained: bool) -> None:
        from playwright.async_api import Error

        options: dict[str, Any] = {
            "executable_path": str(self._door.program),
            "args": list(ARGUMENTS),
            "chromium_sandbox": not is_contained,
            "proxy": self._proxy(is_contained=is_contained),
            "downloads_path": str(folder / "downloads"),
            "viewport": VIEWPORT,
            "service_workers": "block",
            "handle_sigint": False,
            "handle_sigterm": False,
            "handle_sighup": False,
            "timeout": (START_S - 5) * 1_000,
        }
        try:
            chromium = (await driver()).chromium
            try:
                self.context = await chromium.launch_persistent_context(folder / "profile", **options)
            except Error as error:
                if "onnection closed" not in str(error):
                    raise
                chromium = (await driver(anew=True)).chromium
                self.context = await chromium.launch_persistent_context(folder / "profile", **options)
        except Error as error:
            raise BrowserError(
                f"the browser did not start: {self._door.failure or _first_line(error)}"
            ) from None
        self.context.set_default_timeout(ACT_MS)
        self.context.set_default_navigation_timeout(NAVIGATE_MS)
        await self.context.add_init_script(WITHOUT)
        self.page = self.context.pages[0] if self.context.pages else await self.context.new_page()
        for page in self.context.pages:
            self._meet(page)
        self.context.on("page", self._popped_up)

    def _proxy(self, *, is_contained: bool) -> dict[str, str]:
        bypass = {"bypass": "<-loopback>"}
        if is_contained:
            return {"server": "http://{}:{}".format(*INSIDE_PROXY), **bypass}
        return {"server": self.proxy.server, "username": USER, "password": self.proxy.password, **bypass}

    async def _popped_up(self, page: Page) -> None:
        if len(self.context.pages) > MOST_PAGES:
            await page.close()
            return
        self._meet(page)
        self.page = page

    def _meet(self, page: Page) -> None:
        page.on("download", self._downloads)
        page.on("response", self._answered)
        page.on("close", self._left_page)

    async def _downloads(self, download: Download) -> None:
        if self.expects_download and not self.downloads:
            self.downloads.append(download)
        else:
            await download.cancel()

    def _answered(self, response: Any) -> None:
        if response.request.is_navigation_request() and response.frame == self.page.main_frame:
            self.status = response.status
            self.is_proxys = OUR_WORDS.lower() in response.headers

    def _left_page(self, page: Page) -> None:
        if page is self.page and self.context.pages:
            self.page = self.context.pages[-1]

    async def settle(self) -> None:
        """Wait a little for what an act set off, and leave a page that is not of the web."""
        from playwright.async_api import Error

        with contextlib.suppress(Error):
            await self.page.wait_for_load_state("domcontentloaded", timeout=SETTLE_MS)
        with contextlib.suppress(Error):
            await self.page.wait_for_load_state("networkidle", timeout=SETTLE_MS / 5)
        if not self.page.url.startswith(("https://", "http://", "about:", "blob:http", "chrome-error:")):
            await self.page.goto("about:blank")
            raise BrowserError("the page led to something that is not of the web; it was left")


def translated(error: Exception) -> BrowserError:
    """Turn Playwright's error into ours."""
    words = _first_line(error)
    if "has been closed" in words or "crashed" in words:
        return BrowserGone("the browser has ended")
    return BrowserError(words)


def _first_line(error: Exception) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return lines[0][:300] if lines else type(error).__name__
