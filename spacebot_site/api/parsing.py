"""JSON as it is meant: each name once in an object, no numbers that JSON does not have."""

from __future__ import annotations

import json
from typing import Any, cast

from django.http import HttpRequest
from ninja.parser import Parser

MOST_DEEP = 64


class NotJson(Exception):
    """The body does not even claim to be JSON."""


class StrictJson(Parser):
    """Raises NotJson, which the API answers with 415; ValueError or RecursionError, with 400."""

    def parse_body(self, request: HttpRequest) -> dict[str, Any]:
        if request.content_type != "application/json":
            raise NotJson
        body = request.body.decode()
        found = json.loads(body, object_pairs_hook=_object, parse_constant=_refuse)
        _check_depth(found, MOST_DEEP)
        return cast(dict[str, Any], found)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name occurs twice in an object")
    return found


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _check_depth(value: Any, left: int) -> None:
    """Raise ValueError for what is nested so deeply that walking through it later could fail."""
    if left == 0:
        raise ValueError("nested too deeply")
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list):
        return
    for each in value:
        _check_depth(each, left - 1)
