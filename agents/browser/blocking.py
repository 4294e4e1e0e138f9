"""Pages that let no machine pass, or nobody who has not signed in: told apart, so that a worker reports them and stops."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.async_api import Page

LOOK = """() => ({
  title: document.title,
  text: (document.body ? document.body.innerText : '').slice(0, 4000),
  captcha: !!document.querySelector(
    'iframe[src*="recaptcha/api2/bframe"], iframe[src*="hcaptcha.com"], iframe[src*="challenges.cloudflare.com"],'
    + ' .g-recaptcha, .h-captcha, .cf-turnstile, #challenge-form, #px-captcha, [id*="captcha" i] input'),
  password: [...document.querySelectorAll('input[type=password]')].some(each => each.offsetParent !== null),
})"""
CHALLENGE = re.compile(
    r"just a moment|attention required|are you (?:a )?human|verify you are human|access denied|unusual traffic"
    r"|checking your browser|pardon our interruption|bot detection|enable javascript and cookies to continue",
    re.IGNORECASE,
)


async def why_blocked(page: Page, status: int) -> str:
    """Return what stands in the way of a machine, in words for the model; empty for a page like any other."""
    seen = await page.evaluate(LOOK)
    text = str(seen["text"])
    challenged = bool(CHALLENGE.search(str(seen["title"]))) or (
        len(text) < 1_500 and bool(CHALLENGE.search(text))
    )
    if seen["captcha"]:
        return "it asks for a captcha"
    if challenged or status in (403, 429):
        return "it turns machines away"
    if seen["password"] or status == 401:
        return "it asks to sign in"
    return ""
