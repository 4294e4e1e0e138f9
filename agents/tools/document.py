"""`docs/tools.md`: every tool, who may hold it, and what it takes, written from the registry itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from agents.models import Policy
from agents.tools.base import Tool
from agents.tools.registry import TOOLS

HEAD = """# Tools

Generated from the schemas by `manage.py tools`; a check fails where it is out of date. What a process of a kind may hold is
decided in code, and every call passes one gate: rights are read at the call, then the policy of the tool (*allow*, *ask first* or
*off*, for the organization or one agent, under Settings → Tools), then the arguments are checked. See [approvals](approvals.md).

- **Policy**: what holds where nothing is set. *Always*: the tool ends a run, so it cannot be held back.
- **Repeatable**: running it twice does no more than running it once, so it is run again after a crash; of any other call whose
  result is unknown the model is told just that.
- **In the step**: it runs in the transaction of its step, whole or not at all.

| process | holds |
| --- | --- |
"""


def render() -> str:
    """Return the page."""
    kinds = sorted({kind for tool in TOOLS for kind in tool.kinds})
    rows = [
        f"| {kind} | {', '.join(sorted(f'`{tool.name}`' for tool in TOOLS if kind in tool.kinds))} |"
        for kind in kinds
    ]
    parts = [HEAD + "\n".join(rows)]
    parts += [
        "\n".join(_section(tool)) for tool in sorted(TOOLS, key=lambda tool: (tool.name, _holders(tool)))
    ]
    return "\n\n".join(parts) + "\n"


def _section(tool: Tool) -> Iterator[str]:
    twins = sum(each.name == tool.name for each in TOOLS) > 1
    yield f"## {tool.name}" + (f" ({_holders(tool)})" if twins else "")
    yield ""
    yield tool.description
    yield ""
    yield (
        f"Held by {_holders(tool)} · policy: {_policy(tool)} · {'repeatable' if _repeatable(tool) else 'not repeatable'}"
        f" · {'in the step' if tool.transactional else 'outside of the step'}"
        + (f" · offered where there is {tool.need.words}" if tool.need else "")
    )
    schema = tool.spec.parameters
    if schema.get("properties"):
        yield ""
        yield "| argument | type | |"
        yield "| --- | --- | --- |"
        required = set(schema.get("required", ()))
        for name, part in schema["properties"].items():
            yield f"| `{name}` | {_type(part, schema)} | {_notes(name, part, required)} |"


def _holders(tool: Tool) -> str:
    return ", ".join(sorted(tool.kinds))


def _policy(tool: Tool) -> str:
    if tool.asks_people:
        return "allow (it asks people itself)"
    return "always" if tool.ends_run else Policy(tool.policy).label.lower()


def _repeatable(tool: Tool) -> bool:
    return tool.transactional or tool.repeatable


def _type(part: dict[str, Any], schema: dict[str, Any]) -> str:
    if "$ref" in part:
        inner = schema["$defs"][part["$ref"].rsplit("/", 1)[1]]
        return _fields(inner, schema) if "properties" in inner else _type(inner, schema)
    if "anyOf" in part:
        return " or ".join(_type(each, schema) for each in part["anyOf"] if each.get("type") != "null")
    if "enum" in part or "const" in part:
        return " / ".join(f"`{each}`" for each in part.get("enum", [part.get("const")]))
    if part.get("type") == "array":
        return f"list of {_type(part.get('items', {}), schema)}"
    return str(part.get("type", "anything"))


def _fields(inner: dict[str, Any], schema: dict[str, Any]) -> str:
    return f"({', '.join(f'{name}: {_type(each, schema)}' for name, each in inner['properties'].items())})"


LIMITS = {
    "minimum": "from {}",
    "maximum": "to {}",
    "minLength": "{} characters or more",
    "maxLength": "at most {} characters",
    "minItems": "{} or more",
    "maxItems": "at most {}",
}


def _notes(name: str, part: dict[str, Any], required: set[str]) -> str:
    said = [part["description"]] if part.get("description") else []
    bounds = [part, *part.get("anyOf", ())]
    limits = [
        words.format(f"{bound[key]:,}")
        for key, words in LIMITS.items()
        for bound in bounds
        if key in bound and not (key == "minLength" and bound[key] == 1)
    ]
    if limits:
        said.append(f"({', '.join(limits)})")
    if name in required:
        said.append("Required.")
    elif part.get("default") not in (None, "", [], False):
        said.append(f"Default: `{part['default']}`.")
    return " ".join(said).replace("|", "\\|").replace("\n", " ")
