"""What a server's set-up may be, before it is stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from accounts.errors import InvalidInput
from agents.mcp.offer import KINDS
from agents.mcp.references import check_values
from agents.mcp.tool_names import SERVER_NAME
from agents.models import Transport
from secret_store.names import check_name

MOST_ARGS, MOST_VALUES = 60, 40
LONGEST_S = 600
OURS = frozenset(
    {"host", "content-length", "content-type", "accept", "connection", "transfer-encoding", "mcp-session-id"}
)


def check_setup(values: Mapping[str, Any]) -> None:
    """Raise InvalidInput, naming the field, for what cannot be a server."""
    name = values["name"]
    if len(name) > 24 or not SERVER_NAME.fullmatch(name):
        raise InvalidInput(
            "A name starts with a small letter and holds small letters, digits and single - or _, at most 24.",
            field="name",
        )
    if values["transport"] not in Transport.values:
        raise InvalidInput("Choose stdio or http.", field="transport")
    if values["transport"] == Transport.STDIO:
        _check_program(values)
    else:
        _check_address(values)
    unknown = set(values["kinds"]) - set(KINDS)
    if unknown or not values["kinds"]:
        raise InvalidInput(f"Choose among {', '.join(KINDS)}.", field="kinds")
    if not 1 <= values["timeout_s"] <= LONGEST_S:
        raise InvalidInput(f"Wait for 1 to {LONGEST_S} seconds.", field="timeout_s")


def _check_program(values: Mapping[str, Any]) -> None:
    if not values["command"]:
        raise InvalidInput("Name the program.", field="command")
    if len(values["command"]) > 500:
        raise InvalidInput("The program's name is too long.", field="command")
    if values["url"] or values["headers"] or values["oauth"]:
        raise InvalidInput("A program has no address, headers or sign-in.", field="url")
    args: Sequence[str] = values["args"]
    if len(args) > MOST_ARGS or any(len(each) > 4_000 for each in args):
        raise InvalidInput("These are too many arguments, or too long ones.", field="args")
    if any("secret:" in each for each in args):
        raise InvalidInput("Arguments can be read by others: hand secrets over as variables.", field="args")
    _check_texts([values["command"], *args], field="command")
    _check_map(values["env"], field="env")
    for name in values["env"]:
        try:
            check_name(name)
        except InvalidInput as error:
            raise InvalidInput(str(error), field="env") from None


def _check_address(values: Mapping[str, Any]) -> None:
    if values["command"] or values["args"] or values["env"]:
        raise InvalidInput("An address has no program.", field="command")
    try:
        parts = urlsplit(values["url"])
        _ = parts.port
    except ValueError:
        raise InvalidInput("This is no address.", field="url") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or len(values["url"]) > 1_000:
        raise InvalidInput("An address begins with https:// or http://.", field="url")
    if parts.username or parts.password or parts.fragment:
        raise InvalidInput("Leave out names, passwords and #: hand secrets over as headers.", field="url")
    _check_texts([values["url"]], field="url")
    _check_map(values["headers"], field="headers")
    for name in values["headers"]:
        if name.lower() in OURS or not name.isascii() or not name.replace("-", "").replace("_", "").isalnum():
            raise InvalidInput(f"{name} cannot be set.", field="headers")
    if values["oauth"] and any(name.lower() == "authorization" for name in values["headers"]):
        raise InvalidInput("Sign in by OAuth or by a header, not both.", field="headers")


def _check_map(values: Mapping[str, str], *, field: str) -> None:
    if len(values) > MOST_VALUES or any(
        len(name) > 100 or len(value) > 4_000 for name, value in values.items()
    ):
        raise InvalidInput("These are too many values, or too long ones.", field=field)
    _check_texts([*values, *values.values()], field=field)
    check_values(values, field=field)


def _check_texts(texts: Sequence[str], *, field: str) -> None:
    if any(not each.isprintable() for each in texts):
        raise InvalidInput("There is a character in it that cannot be printed.", field=field)
