"""Scrubbing text that arrives in pieces: nothing is let go that could still become a secret."""

from __future__ import annotations

import re
from collections import Counter

from secret_store.scrubbing.scrubber import Scrubbed, Scrubber, count, spliced

LONGEST_HELD = 16 * 1024
"""An endless word is cut here; what was let go before cannot be taken back."""
LONGEST_BEFORE = 4 * 1024
"""How much of an earlier text is looked at with the next one."""
LEFT_CONTEXT = 64
"""How much of what was let go is looked at again at least, so that a match knows what stood before it."""
_OPEN_BLOCK = re.compile(rb"-----BEGIN[^\0]{0,16000}\Z")
_OPEN_LINES = re.compile(rb"(?:[A-Za-z0-9+/=_-]{40,}\r?\n)+[A-Za-z0-9+/=_-]*\Z")
_OPEN_DUMP = re.compile(rb"(?:[0-9A-Fa-f]{2,4}[ :,\r\n-]{1,2})+[0-9A-Fa-f]{0,4}\Z")
_OPEN_SETTING = re.compile(
    rb"(?i)(?:secret|token|key|passw?o?r?d|authorization|bearer|basic)[\w\"'\\ \]-]{0,30}[=:,(]{0,2}[ \"'`\\]{0,6}\Z"
)
_LAST_WORD = re.compile(rb"\S{0,16384}\Z")


class RollingScrubber:
    """Scrubs a stream. `feed` returns what may be shown by now, `flush` the rest.

    Of the last N − 1 characters, N being the longest form, that part is held back which may be the beginning of a
    form, and always the last word, for an escape or a token may still go on in it. `before` is what others have read just
    before the stream: a secret that began there is not completed.
    """

    def __init__(self, scrubber: Scrubber, before: str = "") -> None:
        self.scrubber = scrubber
        self.hits: Counter[str] = Counter()
        self._held = b""
        self._said = before.encode("utf-8", "surrogatepass")[-LONGEST_BEFORE:]
        self.reset()

    def feed(self, piece: str) -> str:
        self._held += piece.encode("utf-8", "surrogatepass")
        return self._let_go(self._safe_end())

    def flush(self) -> str:
        return self._let_go(len(self._held))

    def reset(self) -> None:
        """Forget what is held, for text that is taken back."""
        self._held, self._before = b"", self._said
        self._is_begun, self._let_go_bytes = bool(self._said), 0

    def _safe_end(self) -> int:
        held = self._held
        tail = held[-LONGEST_HELD:]
        end = len(tail) - self._open_at_end(tail)
        if beginning := self.scrubber.scanner.beginning_at_end(self._before + tail):
            end = min(end, len(tail) - beginning[0])
        if setting := _OPEN_SETTING.search(tail[:end][-128:] if end > 0 else b""):
            end -= len(setting.group())
        return max(0, len(held) - len(tail) + end)

    def _open_at_end(self, tail: bytes) -> int:
        """Return how many of the last bytes belong to what may still be going on: a word, a block, lines of it, a dump."""
        looked = (
            (_LAST_WORD, tail),
            (_OPEN_BLOCK, tail),
            (_OPEN_LINES, tail[-8192:]),
            (_OPEN_DUMP, tail[-2048:]),
        )
        return max(len(found.group()) for pattern, part in looked if (found := pattern.search(part)))

    def _context_of(self, said: bytes, new: int) -> bytes:
        """Return what of what was said is looked at again: as far back as a secret may have begun before the stream.

        `new` bytes of it are the stream's. Once nothing goes on from before it, a short context does.
        """
        kept = LEFT_CONTEXT
        if self._is_begun:
            said = said[-LONGEST_BEFORE:]
            beginning = self.scrubber.scanner.beginning_at_end(said)
            open_bytes = max(self._open_at_end(said), beginning[0] if beginning else 0)
            self._is_begun = open_bytes > new
            kept = max(LEFT_CONTEXT, open_bytes)
        return said[-kept:]

    def _let_go(self, end: int) -> str:
        context = len(self._before)
        data = self._before + self._held
        spans = [span for span in self.scrubber.spans(data) if span.end > context]
        end += context
        for span in spans:
            if span.start < end < span.end:
                end = span.start
        done = [span._replace(start=max(span.start, context)) for span in spans if span.end <= end]
        shown = data[context:end]
        shifted = [span._replace(start=span.start - context, end=span.end - context) for span in done]
        self.hits.update(count(shifted))
        self._held = data[end:]
        self._let_go_bytes += end - context
        self._before = self._context_of(data[:end], self._let_go_bytes)
        return spliced(shown, shifted).decode("utf-8", "surrogatepass")


def scrub_following(scrubber: Scrubber, before: str, text: str) -> Scrubbed:
    """Scrub a text that others read right after `before`, which has been sent: a secret across both ends here.

    A text that ends in half a secret or more loses that half at once, for the rest may follow.
    """
    tail = before.encode("utf-8", "surrogatepass")[-LONGEST_BEFORE:]
    data = tail + text.encode("utf-8", "surrogatepass")
    spans = [span for span in scrubber.spans(data) if span.end > len(tail)]
    spans = [span._replace(start=max(0, span.start - len(tail)), end=span.end - len(tail)) for span in spans]
    body = data[len(tail) :]
    if (half := scrubber.scanner.half_at_end(body)) and (not spans or spans[-1].end <= half.start):
        spans.append(half)
    if not spans:
        return Scrubbed(text)
    return Scrubbed(spliced(body, spans).decode("utf-8", "surrogatepass"), count(spans))
