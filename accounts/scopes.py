"""What a token may be allowed to do, and the lowest role that may do it at all."""

from __future__ import annotations

from accounts.models import Role

MINIMUM_ROLES: dict[str, Role] = {
    "organization:read": Role.MEMBER,
    "organization:write": Role.ADMIN,
    "members:read": Role.MEMBER,
    "members:write": Role.ADMIN,
    "tokens:read": Role.MEMBER,
    "tokens:write": Role.MEMBER,
    "audit:read": Role.ADMIN,
    "agents:read": Role.MEMBER,
    "agents:write": Role.ADMIN,
    "conversations:read": Role.MEMBER,
    "conversations:write": Role.MEMBER,
    "runs:read": Role.MEMBER,
    "runs:write": Role.MEMBER,
    "approvals:read": Role.MEMBER,
    "approvals:write": Role.MEMBER,
    "approvals:manage": Role.ADMIN,
    "events:read": Role.MEMBER,
    "schedules:read": Role.MEMBER,
    "schedules:write": Role.MEMBER,
    "memory:read": Role.MEMBER,
    "memory:write": Role.MEMBER,
    "cortex:read": Role.ADMIN,
    "cortex:write": Role.ADMIN,
    "autonomy:read": Role.ADMIN,
    "autonomy:write": Role.ADMIN,
    "mcp:read": Role.ADMIN,
    "mcp:write": Role.ADMIN,
    "models:read": Role.MEMBER,
    "models:write": Role.ADMIN,
    "tasks:read": Role.MEMBER,
    "tasks:write": Role.MEMBER,
    "tasks:approve": Role.MEMBER,
    "goals:read": Role.MEMBER,
    "goals:write": Role.MEMBER,
    "secrets:read": Role.ADMIN,
    "secrets:write": Role.ADMIN,
}


def allowed_scopes(role: Role) -> frozenset[str]:
    """Return every scope that `role` reaches."""
    return frozenset(scope for scope, minimum in MINIMUM_ROLES.items() if role.level >= minimum.level)
