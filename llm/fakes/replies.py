"""What a fake server was asked, and what it shall answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from llm.types import ChatMessage


class Fault(StrEnum):
    """What goes wrong. Those before HANG are HTTP errors in the vendor's own shape."""

    RATE_LIMIT = "rate_limit"
    SERVER_ERROR = "server_error"
    OVERLOADED = "overloaded"
    BAD_KEY = "bad_key"
    NO_CREDIT = "no_credit"
    TOO_LONG = "too_long"
    BAD_REQUEST = "bad_request"
    NO_SUCH_MODEL = "no_such_model"
    HANG = "hang"
    """Nothing at all is answered."""
    HANG_MIDWAY = "hang_midway"
    """Half of the stream comes, then silence."""
    CUT = "cut"
    """Half of the stream comes, then the connection breaks."""
    CUT_CLEAN = "cut_clean"
    """Half of the stream comes, then a proper end of the body."""
    STREAM_ERROR = "stream_error"
    """Half of the stream comes, then an error in the stream."""
    NOT_JSON = "not_json"
    """The stream holds something that is not JSON."""


@dataclass(frozen=True)
class FakeRequest:
    """One request as it came; `messages` and `tools` are the same whatever the wire format."""

    style: str
    path: str
    headers: Mapping[str, str]
    body: dict[str, Any]
    messages: tuple[ChatMessage, ...]
    tools: frozenset[str]
    number: int

    @property
    def model(self) -> str:
        return str(self.body.get("model", ""))


@dataclass(frozen=True)
class FakeReply:
    """One answer. Arguments given as a string go out as they are, so that they may be broken.

    `latency_s` passes before the first byte, `chunk_delay_s` between the pieces of the stream.
    """

    text: str = ""
    tool_calls: tuple[tuple[str, dict[str, Any] | str], ...] = ()
    reasoning: str = ""
    fault: Fault | None = None
    retry_after: str = ""
    latency_s: float = 0.0
    chunk_delay_s: float = 0.0
    chunks: int = 3
    is_truncated: bool = False
    input_tokens: int = 100
    cached_tokens: int = 40
    output_tokens: int = 20


Brain = Callable[[FakeRequest], FakeReply]
