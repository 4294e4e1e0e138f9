"""Server-sent events out of the bytes of a response, and a request that can be stopped.

The SDKs build an object for every chunk and let go of the connection before the last byte, so that it cannot be
used again. Here a chunk costs one `json.loads`, and the connection goes back to the pool.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import httpx2

from llm.clients.endpoint import Target
from llm.clients.interrupt import Call
from llm.errors import BadResponse, Cancelled, ProviderUnavailable
from llm.types import CancelToken

MAX_LINE_BYTES = 16 * 1024 * 1024
DRAIN_S = 0.2


def sse_data(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the data of each event; event names repeat what the data says and are left out."""
    buffer = b""
    data: list[bytes] = []
    for chunk in chunks:
        buffer += chunk
        if len(buffer) > MAX_LINE_BYTES:
            raise BadResponse(
                "The model's answer could not be read.", vendor_text="a line of the stream is too long"
            )
        *lines, buffer = buffer.split(b"\n")
        for line in lines:
            line = line.rstrip(b"\r")
            if line.startswith(b"data:"):
                data.append(line[5:].removeprefix(b" "))
            elif not line and data:
                yield b"\n".join(data)
                data = []
    if data:
        yield b"\n".join(data)


class JsonStream:
    """The JSON objects of a streamed answer, in order, until the body ends or `stop` is called."""

    def __init__(self, response: httpx2.Response, call: Call) -> None:
        self._response = response
        self._call = call
        self.last_data = b""

    def __iter__(self) -> Iterator[dict[str, Any]]:
        chunks = self._response.iter_bytes()
        for data in sse_data(chunks):
            self.last_data = data
            if data == b"[DONE]":
                break
            try:
                found = json.loads(data)
            except ValueError as error:
                raise BadResponse(
                    "The model's answer could not be read.", vendor_text=data[:500].decode(errors="replace")
                ) from error
            if isinstance(found, dict):
                yield found
                if self._is_over:
                    break
        self._drain(chunks)

    _is_over = False

    def stop(self) -> None:
        """Say that the object just read was the last of interest."""
        self._is_over = True

    def _drain(self, chunks: Iterator[bytes]) -> None:
        """Read to the end of the body, if it comes at once: only then can the connection be used again."""
        self._call.end_within(DRAIN_S)
        with contextlib.suppress(httpx2.HTTPError):
            for _ in chunks:
                pass


@contextlib.contextmanager
def open_stream(
    send: Callable[[], Any],
    *,
    target: Target,
    cancel: CancelToken,
    translate: Callable[[Exception], Exception | None],
) -> Iterator[JsonStream]:
    """Send a request and hand out its answer; everything that goes wrong inside leaves as one of our errors.

    `send` returns an SDK stream, `translate` turns an SDK exception into ours (None: not the vendor's).
    """
    call = Call(deadline_at=target.deadline_at)
    forget = cancel.on_cancel(call.abort)
    response: httpx2.Response | None = None
    try:
        if cancel.is_cancelled:
            raise Cancelled("The request was stopped.")
        with call.active():
            response = send().response
        yield JsonStream(response, call)
    except Exception as error:
        if cancel.is_cancelled and not isinstance(error, Cancelled):
            raise Cancelled("The request was stopped.") from error
        ours = _transport_error(error) or translate(error)
        if ours is None:
            raise
        raise ours from error
    finally:
        forget()
        call.release()
        if response is not None:
            response.close()
    if cancel.is_cancelled:
        raise Cancelled("The request was stopped.")


def _transport_error(error: Exception) -> Exception | None:
    if isinstance(error, httpx2.TimeoutException):
        return ProviderUnavailable("The model provider did not answer in time.", vendor_text=repr(error))
    if isinstance(error, httpx2.HTTPError | httpx2.StreamError):
        return ProviderUnavailable("The connection to the model provider broke.", vendor_text=repr(error))
    return None
