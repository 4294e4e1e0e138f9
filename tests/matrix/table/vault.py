"""Uses of secrets, taking secrets along, and the keys of the installation, which are an operator's alone."""

from __future__ import annotations

from tests.matrix.table.rules import ADMIN, HIDDEN, SEEN, Operation, Page, Rows, list_of

PASSPHRASE = "correct horse battery"


def _operators() -> Operation:
    """No member of an organization may, whatever their role there."""
    return Operation("secrets:write", 403, ADMIN, stranger=403, body=lambda world: {"passphrase": PASSPHRASE})


def _operators_bare() -> Operation:
    return Operation("secrets:write", 403, ADMIN, stranger=403)


API: dict[str, Operation] = {
    "GET /secrets/uses": list_of("secrets:read", lowest=ADMIN),
    "GET /secrets/keys": list_of("secrets:read", lowest=ADMIN),
    "POST /secrets/export": Operation(
        "secrets:write", 403, ADMIN, stranger=403,
        body=lambda world: {"passphrase": PASSPHRASE, "password": "not theirs"},
    ),
    "POST /secrets/import": Operation(
        "secrets:write", 422, ADMIN, stranger=422, body=lambda world: {"passphrase": PASSPHRASE, "file": {}}
    ),
    "POST /secrets/rotate-data-key": _operators_bare(),
    "POST /secrets/rotate-master-key": _operators_bare(),
    "POST /secrets/lock": _operators(),
    "POST /secrets/unlock": _operators(),
}  # fmt: skip
PAGES: dict[str, Page] = {"settings/secrets/<int:secret_id>/": Page(lowest=ADMIN, ours=True)}
ADMIN_ROWS: dict[str, Rows] = {"secrets.SecretUse": SEEN, "secrets.Vault": HIDDEN}
