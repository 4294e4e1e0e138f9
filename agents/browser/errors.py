"""What can go wrong with a browser.

BrowserError           what was asked did not work; the words are for the model
├── NoBrowser          none is installed, or none can be contained here
└── BrowserGone        it has ended under the run; a new one starts with the next navigation
"""

from __future__ import annotations


class BrowserError(Exception):
    pass


class NoBrowser(BrowserError):
    pass


class BrowserGone(BrowserError):
    pass
