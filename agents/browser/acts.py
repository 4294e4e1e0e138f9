"""What can be done in a browser: each act is one coroutine on the browsers' loop."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from agents.browser import blocking
from agents.browser.errors import BrowserError
from agents.browser.session import ACT_MS, MOST_PAGES, Session
from agents.egress.errors import Refused
from agents.egress.names import read_url

if TYPE_CHECKING:
    from playwright.async_api import FilePayload, Locator

DOWNLOAD_MS = 30_000
TALLEST = 6_000


async def nothing(session: Session) -> str:
    return ""


async def navigate(session: Session, url: str, *, new_tab: bool) -> str:
    from playwright.async_api import Error

    if new_tab:
        if len(session.context.pages) >= MOST_PAGES:
            raise BrowserError(f"{MOST_PAGES} tabs are open; close one first")
        session.page = await session.context.new_page()
    session.status, session.is_proxys = 0, False
    try:
        answer = await session.page.goto(url, wait_until="domcontentloaded")
    except Error as error:
        if "Download is starting" in str(error):
            raise BrowserError(
                "this is a download, not a page: use web_fetch, or click its link with browser_download"
            ) from None
        if "ERR_TUNNEL_CONNECTION_FAILED" in str(error):
            raise BrowserError("the page cannot be reached") from None
        raise
    session.status = answer.status if answer else 0
    if session.is_proxys:
        await session.page.goto("about:blank")
        raise BrowserError("the page was not let through")
    return f"Answered {session.status}." if session.status >= 400 else ""


async def click(session: Session, ref: str) -> str:
    await _element(session, ref).click()
    return ""


async def type_text(session: Session, ref: str, text: str, *, submit: bool) -> str:
    element = _element(session, ref)
    await element.fill(text)
    if submit:
        await element.press("Enter")
    return ""


async def type_secret(session: Session, ref: str, value: str, *, name: str, origin: str, submit: bool) -> str:
    """Fill a field with a secret, if field and page are of the origin that it was asked for."""
    element = await _element(session, ref).element_handle()
    frame = await element.owner_frame()
    if frame is None or {_origin(frame.url), _origin(session.page.url)} != {origin}:
        raise BrowserError(f"the field is not of {origin}; no secret is typed there")
    session.typed[value] = name
    await element.fill(value)
    if submit:
        await element.press("Enter")
    return ""


async def press(session: Session, key: str) -> str:
    await session.page.keyboard.press(key)
    return ""


async def select(session: Session, ref: str, values: list[str]) -> str:
    await _element(session, ref).select_option(values)
    return ""


async def upload(session: Session, ref: str, files: list[FilePayload]) -> str:
    await _element(session, ref).set_input_files(files)
    return ""


async def download(session: Session, ref: str) -> tuple[str, Path]:
    """Click, and return the suggested name of what is downloaded and where it lies."""
    session.expects_download, session.downloads = True, []
    try:
        async with session.page.expect_download(timeout=DOWNLOAD_MS) as coming:
            await _element(session, ref).click()
        found = await coming.value
        if failure := await found.failure():
            raise BrowserError(f"the download failed: {failure}")
        return found.suggested_filename, Path(await found.path())
    finally:
        session.expects_download = False


async def tabs(session: Session, act: str, number: int) -> str:
    pages = session.context.pages
    if act != "list":
        if number >= len(pages):
            raise BrowserError(f"there is no tab {number}")
        if act == "show":
            session.page = pages[number]
            await session.page.bring_to_front()
        else:
            await pages[number].close()
            if not session.context.pages:
                session.page = await session.context.new_page()
    lines = [
        f"{place}{' (in front)' if page is session.page else ''}: {page.url[:300]}"
        for place, page in enumerate(session.context.pages)
    ]
    return "\n".join(["Tabs:", *lines])


async def picture(session: Session, *, full_page: bool = False) -> bytes:
    height = await session.page.evaluate("document.documentElement.scrollHeight") if full_page else 0
    whole = full_page and isinstance(height, int | float) and height <= TALLEST
    return await session.page.screenshot(full_page=whole, timeout=ACT_MS, animations="disabled")


async def why_blocked(session: Session) -> str:
    return "" if session.is_proxys else await blocking.why_blocked(session.page, session.status)


def _element(session: Session, ref: str) -> Locator:
    return session.page.locator(f"aria-ref={ref}")


def _origin(url: str) -> str:
    try:
        return read_url(url).origin
    except Refused:
        return ""
