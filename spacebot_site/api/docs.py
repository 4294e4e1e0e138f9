"""The API's description: as OpenAPI for programs, as a plain page for people."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from spacebot_site.api.v1 import api

ROOT = "/api/v1"
PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "field": {"type": "string"},
    },
}


def schema() -> dict[str, Any]:
    """Return the OpenAPI description, with the errors that every operation may answer."""
    found: dict[str, Any] = json.loads(json.dumps(api.get_openapi_schema(path_prefix=f"{ROOT}/")))
    found["components"].setdefault("schemas", {})["Problem"] = PROBLEM
    found["components"]["securitySchemes"] = {
        "Token": {"type": "http", "scheme": "bearer"},
        "Session": {"type": "apiKey", "in": "cookie", "name": "sessionid"},
    }
    for operations in found["paths"].values():
        for operation in operations.values():
            if "security" in operation:
                operation["security"] = [{"Token": []}, {"Session": []}]
            content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
            operation["responses"]["default"] = {"description": "A problem", "content": content}
    return found


@require_safe
def openapi(request: HttpRequest) -> HttpResponse:
    return HttpResponse(json.dumps(schema()), content_type="application/json")


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """Show every operation, grouped, without any script."""
    found = schema()
    groups: dict[str, list[dict[str, Any]]] = {}
    for path, operations in found["paths"].items():
        for method, operation in operations.items():
            entry = {"method": method.upper(), "path": path, **operation}
            entry["body"] = _body(operation)
            groups.setdefault(operation.get("tags", ["other"])[0], []).append(entry)
    return render(request, "api/docs.html", {"info": found["info"], "groups": groups})


def _body(operation: dict[str, Any]) -> str:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    name: str = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
    return name
