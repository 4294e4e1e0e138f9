"""Organizations, members, tokens and the audit trail over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema, Status

from accounts import queries
from accounts.api_basics import Id, Limit, Needs, Page, Strict, actor_of, page, read_cursor
from accounts.models import ApiToken, AuditEvent, Membership, Organization
from accounts.services import members, organizations, tokens

router = Router()


class OrganizationOut(Schema):
    id: int
    name: str
    slug: str
    time_zone: str
    role: str


class OrganizationPatch(Strict):
    name: str | None = None
    time_zone: str | None = None


class MemberOut(Schema):
    user_id: int
    email: str
    name: str
    role: str
    is_active: bool


class MemberIn(Strict):
    email: str
    role: str = "member"
    name: str = ""


class MemberPatch(Strict):
    role: str


class TokenOut(Schema):
    id: int
    name: str
    prefix: str
    user_id: int
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


class TokenIn(Strict):
    name: str
    scopes: list[str]
    expires_at: datetime | None = None


class TokenMade(TokenOut):
    token: str


class AuditOut(Schema):
    number: int
    at: datetime
    actor_kind: str
    actor_name: str
    action: str
    target: str
    detail: dict[str, Any]
    hash: str


def organization_payload(organization: Organization, role: str) -> dict[str, Any]:
    return {
        "id": organization.pk,
        "name": organization.name,
        "slug": organization.slug,
        "time_zone": organization.time_zone,
        "role": role,
    }


def member_payload(membership: Membership) -> dict[str, Any]:
    user = membership.user
    return {
        "user_id": user.pk,
        "email": user.email,
        "name": user.name,
        "role": membership.role,
        "is_active": user.is_active,
    }


def token_payload(token: ApiToken) -> dict[str, Any]:
    return {name: getattr(token, name) for name in TokenOut.model_fields}


def audit_payload(event: AuditEvent) -> dict[str, Any]:
    return {name: getattr(event, name) for name in AuditOut.model_fields}


@router.get("/organizations", response=Page[OrganizationOut], auth=Needs("organization:read"))
def list_organizations(request: HttpRequest) -> dict[str, Any]:
    """Where you belong. A token sees only its own organization."""
    actor = actor_of(request)
    if actor.token_id is not None:
        return {"items": [organization_payload(actor.organization, actor.role)], "next": None}
    found = queries.list_memberships(actor.user)
    return {"items": [organization_payload(each.organization, each.role) for each in found], "next": None}


@router.get("/organization", response=OrganizationOut, auth=Needs("organization:read"))
def get_organization(request: HttpRequest) -> dict[str, Any]:
    """The organization that this request acts in."""
    actor = actor_of(request)
    return organization_payload(actor.organization, actor.role)


@router.patch("/organization", response=OrganizationOut, auth=Needs("organization:write"))
def update_organization(request: HttpRequest, body: OrganizationPatch) -> dict[str, Any]:
    actor = actor_of(request)
    changed = organizations.update_organization(actor, name=body.name, time_zone=body.time_zone)
    return organization_payload(changed, actor.role)


@router.get("/members", response=Page[MemberOut], auth=Needs("members:read"))
def list_members(request: HttpRequest, cursor: str | None = None, limit: Limit = 50) -> dict[str, Any]:
    rows = queries.list_members(actor_of(request)).filter(pk__gt=read_cursor(cursor) or 0)
    return page(rows[: limit + 1], limit=limit, payload=member_payload, cursor=lambda row: row.pk)


@router.post("/members", response={201: MemberOut}, auth=Needs("members:write"))
def add_member(request: HttpRequest, body: MemberIn) -> Status[Any]:
    added = members.add_member(actor_of(request), email=body.email, role=body.role, name=body.name)
    return Status(201, member_payload(added))


@router.get("/members/{user_id}", response=MemberOut, auth=Needs("members:read"))
def get_member(request: HttpRequest, user_id: Id) -> dict[str, Any]:
    return member_payload(queries.get_member(actor_of(request), user_id))


@router.patch("/members/{user_id}", response=MemberOut, auth=Needs("members:write"))
def change_role(request: HttpRequest, user_id: Id, body: MemberPatch) -> dict[str, Any]:
    return member_payload(members.change_role(actor_of(request), user_id, body.role))


@router.delete("/members/{user_id}", response={204: None}, auth=Needs(None))
def remove_member(request: HttpRequest, user_id: Id) -> Status[None]:
    """End a membership; everyone may leave on their own. Sockets and tokens end with it."""
    members.remove_member(actor_of(request), user_id)
    return Status(204, None)


@router.get("/tokens", response=Page[TokenOut], auth=Needs("tokens:read"))
def list_tokens(request: HttpRequest, cursor: str | None = None, limit: Limit = 50) -> dict[str, Any]:
    """Your own tokens; administrators see everyone's."""
    rows = queries.list_tokens(actor_of(request))
    before = read_cursor(cursor)
    rows = rows.filter(pk__lt=before) if before is not None else rows
    return page(rows[: limit + 1], limit=limit, payload=token_payload, cursor=lambda row: row.pk)


@router.post("/tokens", response={201: TokenMade}, auth=Needs("tokens:write"))
def create_token(request: HttpRequest, body: TokenIn) -> Status[Any]:
    """Make a token. It is shown this once."""
    token, raw = tokens.create_token(
        actor_of(request), name=body.name, scopes=body.scopes, expires_at=body.expires_at
    )
    return Status(201, {**token_payload(token), "token": raw})


@router.delete("/tokens/{token_id}", response={204: None}, auth=Needs("tokens:write"))
def revoke_token(request: HttpRequest, token_id: Id) -> Status[None]:
    tokens.revoke_token(actor_of(request), token_id)
    return Status(204, None)


@router.get("/audit", response=Page[AuditOut], auth=Needs("audit:read"))
def list_audit(request: HttpRequest, cursor: str | None = None, limit: Limit = 50) -> dict[str, Any]:
    """The organization's trail, newest first."""
    rows = queries.list_audit_events(actor_of(request), before=read_cursor(cursor), limit=limit + 1)
    return page(rows, limit=limit, payload=audit_payload, cursor=lambda row: row.number)
