"""A real browser: look at a page with references, act on them, and take pictures and files into the workspace.

All of it goes through the run's own filtering proxy. What a page says is marked as data from outside.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Literal

from pydantic import Field

from accounts.database import release_connection
from agents.browser import acts, sessions
from agents.browser.bound_secrets import find_bound_secret
from agents.browser.errors import BrowserError, BrowserGone, NoBrowser
from agents.browser.finding import why_no_browser
from agents.browser.loop import drive
from agents.browser.session import Session, translated
from agents.egress.names import read_url
from agents.egress.rules import checker_of, record_refusal
from agents.errors import ToolFailed, ToolRetry
from agents.tools import browser_files
from agents.tools.base import Arguments, Need, Tool, ToolContext, ToolOutput
from agents.tools.going_out import going_out
from agents.tools.outside import fenced

HOLDERS = frozenset({"worker"})
CALL_S = 60.0
MOST_TEXT = 30_000
REF = r"^(f\d+)?e\d+$"
NOT_OPEN = "No page is open. Begin with browser_navigate."
Act = Callable[[Session], Coroutine[Any, Any, str]]
CHROMIUM = Need("a Chromium that can be contained", lambda run: why_no_browser())


class Navigate(Arguments):
    url: str = Field(description="Begins with https:// or http://", min_length=8, max_length=8_000)
    new_tab: bool = False


class Nothing(Arguments):
    pass


class Element(Arguments):
    ref: str = Field(pattern=REF, description="A reference of the newest snapshot, such as e6.")


class Typing(Element):
    text: str = Field(default="", max_length=50_000)
    secret: str = Field(default="", max_length=80, description="Name of a secret to type instead of text.")
    submit: bool = Field(default=False, description="Press Enter afterwards.")


class Press(Arguments):
    key: str = Field(
        pattern=r"^[A-Za-z0-9+]{1,30}$", description="Such as Enter, Escape, PageDown or Control+A."
    )


class Select(Element):
    values: list[str] = Field(min_length=1, max_length=50)


class Upload(Element):
    paths: list[str] = Field(min_length=1, max_length=10, description="Files of your workspace.")


class Tabs(Arguments):
    act: Literal["list", "show", "close"] = "list"
    tab: int = Field(default=0, ge=0, le=50)


class Screenshot(Arguments):
    full_page: bool = False


def navigate(context: ToolContext, arguments: Navigate) -> ToolOutput:
    run = context.run
    with going_out(run):
        target = read_url(arguments.url)
        checker = checker_of(run)
        release_connection()
        checker.addresses(target.host, target.port, stopped=lambda: context.cancel.is_cancelled)
        try:
            sessions.open_session(run.pk, checker, context.cancel)
        except NoBrowser as error:
            raise ToolFailed(str(error)) from None
        except BrowserError as error:
            raise ToolRetry(f"{error}.") from None
    return _do(context, lambda session: acts.navigate(session, target.url, new_tab=arguments.new_tab))


def snapshot(context: ToolContext, arguments: Nothing) -> ToolOutput:
    return _do(context, acts.nothing)


def click(context: ToolContext, arguments: Element) -> ToolOutput:
    return _do(context, lambda session: acts.click(session, arguments.ref))


def type_text(context: ToolContext, arguments: Typing) -> ToolOutput:
    ref, text, submit = arguments.ref, arguments.text, arguments.submit
    if not arguments.secret:
        return _do(context, lambda session: acts.type_text(session, ref, text, submit=submit))
    if text:
        raise ToolRetry("Give text or the name of a secret, not both.")
    name = arguments.secret
    value, origin = _secret(context, name)
    return _do(
        context,
        lambda session: acts.type_secret(session, ref, value, name=name, origin=origin, submit=submit),
    )


def press(context: ToolContext, arguments: Press) -> ToolOutput:
    return _do(context, lambda session: acts.press(session, arguments.key))


def select(context: ToolContext, arguments: Select) -> ToolOutput:
    return _do(context, lambda session: acts.select(session, arguments.ref, arguments.values))


def upload(context: ToolContext, arguments: Upload) -> ToolOutput:
    files = [browser_files.payload_of(context.workspace, path) for path in arguments.paths]
    return _do(context, lambda session: acts.upload(session, arguments.ref, files))


def download(context: ToolContext, arguments: Element) -> ToolOutput:
    async def act(session: Session) -> str:
        name, path = await acts.download(session, arguments.ref)
        saved = browser_files.save(context.workspace, name, browser_files.read_download(path))
        return f"Saved as {saved}."

    return _do(context, act, shows=False)


def tabs(context: ToolContext, arguments: Tabs) -> ToolOutput:
    return _do(context, lambda session: acts.tabs(session, arguments.act, arguments.tab))


def screenshot(context: ToolContext, arguments: Screenshot) -> ToolOutput:
    async def act(session: Session) -> str:
        picture = await acts.picture(session, full_page=arguments.full_page)
        saved = browser_files.save(context.workspace, "page.png", picture)
        session.show(picture)
        return f"Saved as {saved}."

    return _do(context, act, shows=False)


def read_text(context: ToolContext, arguments: Nothing) -> ToolOutput:
    async def act(session: Session) -> str:
        text = session.hide(await session.page.locator("body").inner_text())
        return fenced(_cut(text), session.page.url)

    return _do(context, act, shows=False)


def pdf(context: ToolContext, arguments: Nothing) -> ToolOutput:
    async def act(session: Session) -> str:
        return f"Saved as {browser_files.save(context.workspace, 'page.pdf', await session.page.pdf())}."

    return _do(context, act, shows=False)


def close(context: ToolContext, arguments: Nothing) -> ToolOutput:
    release_connection()
    return ToolOutput("Closed." if sessions.close_session(context.run.pk) else NOT_OPEN)


def _do(context: ToolContext, act: Act, *, shows: bool = True) -> ToolOutput:
    """Do something in the run's browser and show what the page is then; what was refused meanwhile is recorded and told."""
    session = sessions.find_session(context.run.pk)
    if session is None:
        raise ToolRetry(NOT_OPEN)
    session.proxy.checker = checker_of(context.run)
    release_connection()
    try:
        with going_out(context.run):
            said = drive(_acted(session, context, act, shows=shows), timeout_s=CALL_S, cancel=context.cancel)
    except BrowserGone as error:
        limit = session.broken_limit()
        sessions.close_session(context.run.pk)
        why = f": it broke its limit of {limit}" if limit else ""
        raise ToolRetry(f"{error}{why}. {NOT_OPEN}") from None
    except BrowserError as error:
        raise ToolRetry(f"{error}.{_refused(context, session)}") from None
    return ToolOutput(said + _refused(context, session), pictures=session.take_pictures())


async def _acted(session: Session, context: ToolContext, act: Act, *, shows: bool) -> str:
    from playwright.async_api import Error

    try:
        said = await act(session)
        return f"{said}\n{await _shown(session, context)}".strip() if shows else said
    except Error as error:
        raise translated(error) from None


async def _shown(session: Session, context: ToolContext) -> str:
    """Return the page with references, and a picture where it stands in the way."""
    await session.settle()
    title, url = await session.page.title(), session.page.url
    blocked = await acts.why_blocked(session)
    note = ""
    if blocked:
        picture = await acts.picture(session)
        saved = browser_files.save(context.workspace, "blocked.png", picture)
        session.show(picture)
        note = f"\nBlocked: {blocked}. A picture is in {saved}. Do not try to get around it: report it as blocked."
    tree = session.hide(await session.page.locator("body").aria_snapshot(mode="ai"))
    return fenced(_cut(tree), f"{url} “{session.hide(title)}”") + note


def _refused(context: ToolContext, session: Session) -> str:
    refusals = session.proxy.take_refusals()
    for refused, times in refusals:
        record_refusal(context.run, refused, times=times)
    if not refusals:
        return ""
    return "\n[not let through: " + "; ".join(str(refused)[:200] for refused, _ in refusals[:5]) + "]"


def _secret(context: ToolContext, name: str) -> tuple[str, str]:
    """Return a secret's value and the origin of the page in front, which it is bound to."""
    session = sessions.find_session(context.run.pk)
    if session is None:
        raise ToolRetry(NOT_OPEN)
    run = context.run
    with going_out(run):
        origin = read_url(session.page.url).origin
    value = find_bound_secret(run.organization_id, run.agent_id, name, origin)
    if not value:
        raise ToolFailed(f"no secret {name} is bound to {origin}")
    return value, origin


def _cut(text: str) -> str:
    if len(text) <= MOST_TEXT:
        return text
    return f"{text[:MOST_TEXT]}\n(cut: {len(text):,} characters in all; use browser_read_text or narrow the page)"


def _tool(
    name: str, description: str, arguments: type[Arguments], function: Any, *, repeatable: bool = False
) -> Tool:
    return Tool(
        name=f"browser_{name}",
        description=description,
        arguments=arguments,
        function=function,
        kinds=HOLDERS,
        transactional=False,
        repeatable=repeatable,
        need=CHROMIUM,
    )


TOOLS = (
    _tool(
        "navigate", "Open an address in a real browser and see the page with references.", Navigate, navigate
    ),
    _tool("snapshot", "See the page in front with references.", Nothing, snapshot, repeatable=True),
    _tool("click", "Click what a reference names.", Element, click),
    _tool("type", "Fill a field with text, or with a secret that is bound to this site.", Typing, type_text),
    _tool("press", "Press a key.", Press, press),
    _tool("select", "Choose options of a list by value or label.", Select, select),
    _tool("upload", "Give files of your workspace to a file field.", Upload, upload),
    _tool(
        "download", "Click what starts a download, and keep the file in your workspace.", Element, download
    ),
    _tool("tabs", "List the tabs, or show or close one.", Tabs, tabs),
    _tool("screenshot", "Take a picture of the page into your workspace.", Screenshot, screenshot),
    _tool("read_text", "Read the text of the page.", Nothing, read_text, repeatable=True),
    _tool("pdf", "Print the page to a PDF in your workspace.", Nothing, pdf),
    _tool("close", "Close the browser; nothing of it is kept.", Nothing, close, repeatable=True),
)
