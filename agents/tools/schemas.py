"""The JSON schema of a tool's arguments as models are shown it: only what helps to write a call.

Every request carries it, so each word is paid for again and again. What is left out is still checked: an argument that breaks a
rule comes back with a sentence that says which.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

LEFT_OUT = frozenset(
    {"$defs", "title", "additionalProperties", "minLength", "maxLength", "minItems", "maxItems", "minimum"}
)


def schema_of(arguments: type[BaseModel]) -> dict[str, Any]:
    """Return the schema without definitions, titles, "or null", most limits, and all defaults but words."""
    whole = arguments.model_json_schema()
    schema = _shortened(whole, whole.get("$defs", {}))
    schema.pop("description", None)
    schema.setdefault("properties", {})
    return schema


def _shortened(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in schema:
        told = {name: value for name, value in schema.items() if name != "$ref"}
        named = definitions[schema["$ref"].rpartition("/")[2]]
        schema = {**{name: value for name, value in named.items() if name != "description"}, **told}
    if "anyOf" in schema:
        schema = _without_null(schema)
        if "$ref" in schema:
            return _shortened(schema, definitions)
    return {
        name: _part(name, value, definitions)
        for name, value in schema.items()
        if name not in LEFT_OUT and (name != "default" or _is_word(value))
    }


def _is_word(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _part(name: str, value: Any, definitions: dict[str, Any]) -> Any:
    if name == "properties":
        return {each: _shortened(part, definitions) for each, part in value.items()}
    if name == "items":
        return _shortened(value, definitions)
    if name == "anyOf":
        return [_shortened(each, definitions) for each in value]
    return value


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Take "or null" out: what is not in `required` may be left out anyway."""
    choices = [each for each in schema["anyOf"] if each.get("type") != "null"]
    rest = {name: value for name, value in schema.items() if name != "anyOf"}
    return {**choices[0], **rest} if len(choices) == 1 else {**rest, "anyOf": choices}
