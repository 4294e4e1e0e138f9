"""What a server says a tool takes: checked before it reaches a model, and checked against what a model sends.

A server is not trusted with either. A schema that a provider would refuse makes every request with it fail; one with a
hard regular expression or a remote reference would let a server hold up or reach out of our process.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from functools import cached_property
from typing import Any, ClassVar

from pydantic import ConfigDict, model_validator

from agents.tools.base import Arguments, Tool
from llm.types import ToolSpec

MOST_BYTES = 20_000
MOST_DEPTH = 24
KEY = re.compile(r"[A-Za-z0-9_.-]{1,64}")
DROPPED = frozenset(
    {"$schema", "$id", "pattern", "patternProperties", "format", "title", "$comment", "examples"}
)
UNSEEN = ("Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp")
NAMES = frozenset({"properties", "$defs", "definitions", "dependentSchemas"})


def clean_text(text: str, most: int) -> str:
    """Return text without what people cannot see, so that what was approved is what a model reads."""
    kept = "".join(each for each in text if each in "\n\t" or unicodedata.category(each) not in UNSEEN)
    return kept.strip()[:most]


def clean_schema(schema: Any) -> Any:
    """Return a schema for models: texts cleaned, and nothing in it that only a validator would use."""
    return _clean(schema, is_map=False, depth=0)


def _clean(value: Any, *, is_map: bool, depth: int) -> Any:
    if depth > MOST_DEPTH:
        raise ValueError("it is nested too deeply")
    if isinstance(value, dict):
        return {
            str(key): _clean(item, is_map=not is_map and key in NAMES, depth=depth + 1)
            for key, item in value.items()
            if is_map or key not in DROPPED
        }
    if isinstance(value, list):
        return [_clean(item, is_map=False, depth=depth + 1) for item in value]
    return clean_text(value, 4_000) if isinstance(value, str) else value


def problem_of(schema: Any) -> str:
    """Return why a cleaned schema cannot be offered to a model; empty if it can."""
    if not isinstance(schema, dict) or schema.get("type") != "object":
        return "Its arguments are no object."
    properties = schema.get("properties", {})
    if not isinstance(properties, dict) or any(
        word in schema for word in ("anyOf", "oneOf", "allOf", "$ref")
    ):
        return "Its arguments are no plain object."
    if not all(KEY.fullmatch(key) for key in properties):
        return "An argument has a name that models do not take."
    if not all(isinstance(part, dict) for part in properties.values()):
        return "An argument is not described."
    if len(json.dumps(schema)) > MOST_BYTES:
        return "The description of its arguments is too long."
    if any(not reference.startswith("#") for reference in _references(schema)):
        return "Its description refers to something elsewhere."
    return _invalid(schema)


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            if key in ("$ref", "$dynamicRef"):
                yield str(item)
            yield from _references(item)
    elif isinstance(value, list):
        for item in value:
            yield from _references(item)


def _invalid(schema: dict[str, Any]) -> str:
    from jsonschema import Draft202012Validator, SchemaError

    try:
        Draft202012Validator.check_schema(schema)
    except (SchemaError, RecursionError):
        return "The description of its arguments is not a JSON schema."
    return ""


class RemoteArguments(Arguments):
    """Arguments of a tool that is known only at run time; a subclass per tool brings its schema."""

    model_config = ConfigDict(extra="allow")
    remote_schema: ClassVar[dict[str, Any]] = {"type": "object"}

    @model_validator(mode="before")
    @classmethod
    def _fits(cls, data: Any) -> Any:
        from jsonschema import Draft202012Validator
        from jsonschema.exceptions import best_match
        from referencing import Registry
        from referencing.exceptions import Unresolvable

        validator = Draft202012Validator(cls.remote_schema, registry=Registry())
        try:
            error = best_match(validator.iter_errors(data))
        except (Unresolvable, RecursionError):
            raise ValueError("they cannot be checked") from None
        if error is not None:
            where = ".".join(str(part) for part in error.absolute_path)
            raise ValueError(f"{where}: {error.message[:300]}" if where else error.message[:300])
        return data


def arguments_for(schema: dict[str, Any]) -> type[Arguments]:
    return type("Remote", (RemoteArguments,), {"remote_schema": schema, "__module__": __name__})


class RemoteTool(Tool):
    """A tool whose arguments another program described."""

    @cached_property
    def spec(self) -> ToolSpec:
        schema = getattr(self.arguments, "remote_schema", {"type": "object"})
        return ToolSpec(name=self.name, description=self.description, parameters={"properties": {}, **schema})
