"""Providers, models and routes over HTTP."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import Field

from accounts.api_basics import Id, Limit, Needs, Page, Strict, actor_of, page, read_cursor
from llm import queries
from llm.models import ModelEntry, Provider, Route
from llm.services import provider_test, providers

router = Router()
READ, WRITE = Needs("models:read"), Needs("models:write")
Price = Decimal | None


class ProviderOut(Schema):
    id: int
    name: str
    kind: str
    base_url: str
    secret_name: str
    enabled: bool
    timeout_s: int


class ModelOut(Schema):
    id: int
    provider_id: int
    name: str
    label: str
    context_window: int
    max_output_tokens: int
    input_price: Decimal | None
    output_price: Decimal | None
    cache_read_price: Decimal | None
    cache_write_price: Decimal | None
    enabled: bool


class RouteOut(Schema):
    id: int
    process: str
    position: int
    model_id: int


class ProviderIn(Strict):
    """`api_key` is kept as a secret and never shown again."""

    name: str
    kind: str
    base_url: str = ""
    api_key: str = ""
    timeout_s: int = Field(default=300, ge=1, le=3600)
    models: list[str] = Field(default=[], max_length=200)


class ProviderPatch(Strict):
    name: str | None = None
    base_url: str | None = None
    api_key: str | None = None
    timeout_s: int | None = Field(default=None, ge=1, le=3600)
    enabled: bool | None = None


class ModelPatch(Strict):
    label: str | None = None
    context_window: int | None = None
    max_output_tokens: int | None = None
    input_price: Price = None
    output_price: Price = None
    cache_read_price: Price = None
    cache_write_price: Price = None
    enabled: bool | None = None


class ModelIn(ModelPatch):
    provider_id: Id
    name: str


class RouteIn(Strict):
    model_ids: list[Id] = Field(max_length=20)


class TestStepOut(Schema):
    name: str
    ok: bool
    detail: str


class TestOut(Schema):
    """What a model did when it was asked to call a tool and to use its result."""

    ok: bool
    model: str
    steps: list[TestStepOut]
    latency_ms: int
    first_token_ms: int | None
    error: str


def provider_payload(provider: Provider) -> dict[str, Any]:
    return {name: getattr(provider, name) for name in ProviderOut.model_fields}


def model_payload(entry: ModelEntry) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in ModelOut.model_fields}


def route_payload(route: Route) -> dict[str, Any]:
    return {"id": route.pk, "process": route.process, "position": route.position, "model_id": route.entry_id}


@router.get("/providers", response=Page[ProviderOut], auth=READ)
def list_providers(request: HttpRequest, cursor: str | None = None, limit: Limit = 50) -> dict[str, Any]:
    rows = queries.list_providers(actor_of(request)).order_by("pk").filter(pk__gt=read_cursor(cursor) or 0)
    return page(rows[: limit + 1], limit=limit, payload=provider_payload, cursor=lambda row: row.pk)


@router.get("/providers/{provider_id}", response=ProviderOut, auth=READ)
def get_provider(request: HttpRequest, provider_id: Id) -> dict[str, Any]:
    return provider_payload(queries.get_provider(actor_of(request), provider_id))


@router.get("/models", response=Page[ModelOut], auth=READ)
def list_models(request: HttpRequest, cursor: str | None = None, limit: Limit = 50) -> dict[str, Any]:
    rows = queries.list_models(actor_of(request)).order_by("pk").filter(pk__gt=read_cursor(cursor) or 0)
    return page(rows[: limit + 1], limit=limit, payload=model_payload, cursor=lambda row: row.pk)


@router.get("/models/{model_id}", response=ModelOut, auth=READ)
def get_model(request: HttpRequest, model_id: Id) -> dict[str, Any]:
    return model_payload(queries.get_model(actor_of(request), model_id))


@router.get("/routes", response=Page[RouteOut], auth=READ)
def list_routes(request: HttpRequest) -> dict[str, Any]:
    """Which models each kind of process uses, first choice first."""
    return {"items": [route_payload(row) for row in queries.list_routes(actor_of(request))], "next": None}


@router.put("/routes/{process}", response=Page[RouteOut], auth=WRITE)
def set_route(request: HttpRequest, process: str, body: RouteIn) -> dict[str, Any]:
    """Let a kind of process use these models, first choice first; none means those of the channel."""
    routes = providers.set_route(actor_of(request), process, body.model_ids)
    return {"items": [route_payload(row) for row in routes], "next": None}


@router.post("/providers", response={201: ProviderOut}, auth=WRITE)
def add_provider(request: HttpRequest, body: ProviderIn) -> Status[Any]:
    return Status(201, provider_payload(providers.add_provider(actor_of(request), **body.dict())))


@router.patch("/providers/{provider_id}", response=ProviderOut, auth=WRITE)
def update_provider(request: HttpRequest, provider_id: Id, body: ProviderPatch) -> dict[str, Any]:
    """Change a provider. An address on another host needs the key again."""
    changes = body.dict(exclude_none=True)
    return provider_payload(providers.update_provider(actor_of(request), provider_id, **changes))


@router.delete("/providers/{provider_id}", response={204: None}, auth=WRITE)
def remove_provider(request: HttpRequest, provider_id: Id) -> Status[None]:
    """Delete a provider with its models, their routes and its key."""
    providers.remove_provider(actor_of(request), provider_id)
    return Status(204, None)


@router.post("/models", response={201: ModelOut}, auth=WRITE)
def add_model(request: HttpRequest, body: ModelIn) -> Status[Any]:
    fields = body.dict(exclude_none=True)
    provider_id, name = fields.pop("provider_id"), fields.pop("name")
    return Status(
        201, model_payload(providers.add_model(actor_of(request), provider_id, name=name, **fields))
    )


@router.patch("/models/{model_id}", response=ModelOut, auth=WRITE)
def update_model(request: HttpRequest, model_id: Id, body: ModelPatch) -> dict[str, Any]:
    """Change what is given; a price given as null becomes unknown."""
    given = body.dict(exclude_unset=True)
    changes = {
        field: value for field, value in given.items() if value is not None or field.endswith("_price")
    }
    return model_payload(providers.update_model(actor_of(request), model_id, **changes))


@router.delete("/models/{model_id}", response={204: None}, auth=WRITE)
def remove_model(request: HttpRequest, model_id: Id) -> Status[None]:
    providers.remove_model(actor_of(request), model_id)
    return Status(204, None)


@router.post("/models/{model_id}/test", response=TestOut, auth=WRITE)
def test_model(request: HttpRequest, model_id: Id) -> dict[str, Any]:
    """Send two real requests, the first of which must call a tool."""
    found = provider_test.test_provider(actor_of(request), model_id)
    steps = [{"name": step.name, "ok": step.ok, "detail": step.detail} for step in found.steps]
    return {
        "ok": found.ok,
        "model": found.model,
        "steps": steps,
        "latency_ms": found.latency_ms,
        "first_token_ms": found.first_token_ms,
        "error": found.error,
    }
