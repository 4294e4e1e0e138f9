"""Operations of the API."""

from __future__ import annotations

from tests.api.conftest import Upload
from tests.matrix.table.rules import (
    ADMIN,
    MODERATOR,
    Operation,
    list_of,
    nothing,
    read,
    taking_part,
)

CHAT = "/conversations/{conversation_id}"
MEMORY = "/memories/{memory_id}"
FILES = "/agents/{agent_id}/files"
OPENAI = {"kind": "openai_chat", "api_key": "sk-0123456789abcdef"}

API: dict[str, Operation] = {
    "GET /health": Operation(),
    "GET /organizations": list_of("organization:read"),
    "GET /organization": list_of("organization:read"),
    "PATCH /organization": Operation("organization:write", 200, ADMIN, 200, lambda world: {"name": "New"}),
    "GET /members": list_of("members:read"),
    "POST /members": Operation("members:write", 201, ADMIN, 201, lambda world: {"email": "new@acme.test"}),
    "GET /members/{user_id}": read("members:read"),
    "PATCH /members/{user_id}": Operation(
        "members:write", 200, ADMIN, body=lambda world: {"role": "moderator"}
    ),
    "DELETE /members/{user_id}": Operation("members:write", 204, ADMIN),
    "GET /tokens": list_of("tokens:read"),
    "POST /tokens": Operation(
        "tokens:write", 201, stranger=201, body=lambda world: {"name": "n", "scopes": ["tokens:write"]}
    ),
    "DELETE /tokens/{token_id}": Operation("tokens:write", 204, owned=True),
    "GET /audit": list_of("audit:read", lowest=ADMIN),
    "GET /secrets": list_of("secrets:read", lowest=ADMIN),
    "PUT /secrets/{name}": Operation(
        "secrets:write", 200, ADMIN, 200, lambda world: {"value": "a long enough value"}
    ),
    "DELETE /secrets/{name}": Operation("secrets:write", 204, ADMIN),
    "GET /events": list_of("events:read"),
    "GET /events/history": list_of("events:read"),
    "GET /providers": list_of("models:read"),
    "POST /providers": Operation("models:write", 201, ADMIN, 201, lambda world: {"name": "New", **OPENAI}),
    "GET /providers/{provider_id}": read("models:read"),
    "PATCH /providers/{provider_id}": Operation(
        "models:write", 200, ADMIN, body=lambda world: {"timeout_s": 20}
    ),
    "DELETE /providers/{provider_id}": Operation("models:write", 204, ADMIN),
    "GET /models": list_of("models:read"),
    "POST /models": Operation(
        "models:write", 201, ADMIN,
        body=lambda world: {"provider_id": world.values["provider_id"], "name": "another"},
    ),
    "GET /models/{model_id}": read("models:read"),
    "PATCH /models/{model_id}": Operation("models:write", 200, ADMIN, body=lambda world: {"label": "x"}),
    "DELETE /models/{model_id}": Operation("models:write", 204, ADMIN),
    "POST /models/{model_id}/test": Operation("models:write", 200, ADMIN),
    "GET /routes": list_of("models:read"),
    "PUT /routes/{process}": Operation(
        "models:write", 200, ADMIN, body=lambda world: {"model_ids": [world.values["model_id"]]}
    ),
    "GET /agents": list_of("agents:read"),
    "POST /agents": Operation("agents:write", 201, ADMIN, 201, lambda world: {"name": "Another"}),
    "GET /agents/{agent_id}": read("agents:read"),
    "PATCH /agents/{agent_id}": Operation("agents:write", 200, ADMIN, body=lambda world: {"tagline": "x"}),
    f"GET {FILES}": read("memory:read"),
    f"POST {FILES}": Operation(
        "memory:write", 201, MODERATOR, body=lambda world: Upload("notes.txt", b"other words")
    ),
    f"GET {FILES}/{{file_id}}": read("memory:read"),
    f"POST {FILES}/{{file_id}}/retry": Operation("memory:write", 200, MODERATOR),
    "GET /conversations": list_of("conversations:read"),
    "POST /conversations": Operation(
        "conversations:write", 201, body=lambda world: {"agent_id": world.values["agent_id"]}
    ),
    f"GET {CHAT}": read("conversations:read", participants=True),
    f"PATCH {CHAT}": taking_part("conversations:write", 200, lambda world: {"title": "x"}),
    f"POST {CHAT}/read": taking_part("conversations:write", 204, nothing),
    f"GET {CHAT}/participants": read("conversations:read", participants=True),
    f"POST {CHAT}/participants": taking_part(
        "conversations:write", 201, lambda world: {"user_id": world.acme.moderator.user.pk}
    ),
    f"DELETE {CHAT}/participants/{{user_id}}": taking_part("conversations:write", 204),
    f"GET {CHAT}/messages": read("conversations:read", participants=True),
    f"POST {CHAT}/messages": taking_part("conversations:write", 201, lambda world: {"text": "hello"}),
    "PUT /messages/{message_id}/reactions/{emoji}": taking_part("conversations:write", 204),
    "DELETE /messages/{message_id}/reactions/{emoji}": taking_part("conversations:write", 204),
    "GET /runs": list_of("runs:read"),
    "GET /runs/{run_id}": read("runs:read", participants=True),
    "GET /runs/{run_id}/steps": read("runs:read", participants=True),
    "POST /runs/{run_id}/cancel": taking_part("runs:write", 200, nothing),
    "POST /runs/{run_id}/retry": taking_part("runs:write", 201),
    "GET /memories": list_of("memory:read"),
    "POST /memories": Operation(
        "memory:write", 201, MODERATOR,
        body=lambda world: {
            "agent_id": world.values["agent_id"], "type": "fact", "content": "new", "audience": "organization",
        },
    ),
    "GET /memories/search": Operation("memory:read", query="?query=known&agent_id={agent_id}"),
    "GET /memories/graph": Operation("memory:read", query="?agent_id={agent_id}"),
    "GET /memories/inbox": list_of("memory:read"),
    "POST /memories/inbox/{item_id}/resolve": taking_part(
        "memory:write", 200, lambda world: {"resolution": "keep_both"}
    ),
    f"GET {MEMORY}": read("memory:read", participants=True),
    f"PATCH {MEMORY}": taking_part("memory:write", 200, lambda world: {"content": "edited"}),
    f"POST {MEMORY}/forget": taking_part("memory:write", 200, nothing),
    f"POST {MEMORY}/restore": taking_part("memory:write", 200),
    f"PUT {MEMORY}/audience": taking_part(
        "memory:write", 200,
        lambda world: {"audience": "conversation", "conversation_id": world.values["conversation_id"]},
    ),
    f"GET {MEMORY}/associations": read("memory:read", participants=True),
    f"POST {MEMORY}/associations": taking_part(
        "memory:write", 201, lambda world: {"target_id": world.values["target_id"], "relation": "related_to"}
    ),
    f"DELETE {MEMORY}/associations/{{target_id}}/{{relation}}": taking_part("memory:write", 204),
}  # fmt: skip
