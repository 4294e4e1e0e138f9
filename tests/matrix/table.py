"""The one table of who may do what: operations of the API, pages, what pages do, the admin, streams, models.

Whatever answers and is not in here fails the suite.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from accounts.models import ApiToken, Membership, Role
from agents.models import Agent
from llm.models import LedgerEntry, ModelEntry, Provider, Route
from memory.models import InboxItem, Memory
from messaging.models import Conversation, Participant
from secret_store.models import Secret
from spacebot_site.api.docs import schema
from tests.api.conftest import Upload
from tests.matrix.world import NOBODY, STRANGER, SUPERUSER, World

MEMBER, MODERATOR, ADMIN, OWNER = Role.MEMBER, Role.MODERATOR, Role.ADMIN, Role.OWNER

# The API

Body = Callable[[World], Any]


@dataclass(frozen=True)
class Operation:
    """`ok` for those of at least `lowest`, 403 below and for a token without `scope`; 401 for nobody.

    `stranger` is what another organization's owner gets; 404 unless it touches none of our rows.
    `participants`: who does not take part gets 404, whatever the role. `owned`: as `participants`, but not
    for administrators. `query` follows the address. A superuser who is a member of nothing has no
    organization to ask in: 404.
    """

    scope: str = ""
    ok: int = 200
    lowest: Role = MEMBER
    stranger: int = 404
    body: Body | None = None
    participants: bool = False
    owned: bool = False
    query: str = ""


def api_status(rule: Operation, who: str) -> int:
    if not rule.scope:
        return rule.ok
    if who == NOBODY:
        return 401
    if who == SUPERUSER:
        return 404
    if who == STRANGER:
        return rule.stranger
    if Role(who).level < rule.lowest.level:
        return 403
    if (rule.participants and who != "member") or (rule.owned and who == "moderator"):
        return 404
    return rule.ok


def _nothing(world: World) -> dict[str, Any]:
    return {}


def _read(scope: str, *, lowest: Role = MEMBER, participants: bool = False) -> Operation:
    """One row, which strangers do not find."""
    return Operation(scope, lowest=lowest, participants=participants)


def _list(scope: str, *, lowest: Role = MEMBER) -> Operation:
    """One's own organization's rows; a stranger gets theirs."""
    return Operation(scope, lowest=lowest, stranger=200)


def _taking_part(scope: str, ok: int = 200, body: Body | None = None) -> Operation:
    return Operation(scope, ok, body=body, participants=True)


_CHAT = "/conversations/{conversation_id}"
_MEMORY = "/memories/{memory_id}"
_FILES = "/agents/{agent_id}/files"
_OPENAI = {"kind": "openai_chat", "api_key": "sk-0123456789abcdef"}

API: dict[str, Operation] = {
    "GET /health": Operation(),
    "GET /organizations": _list("organization:read"),
    "GET /organization": _list("organization:read"),
    "PATCH /organization": Operation("organization:write", 200, ADMIN, 200, lambda world: {"name": "New"}),
    "GET /members": _list("members:read"),
    "POST /members": Operation("members:write", 201, ADMIN, 201, lambda world: {"email": "new@acme.test"}),
    "GET /members/{user_id}": _read("members:read"),
    "PATCH /members/{user_id}": Operation(
        "members:write", 200, ADMIN, body=lambda world: {"role": "moderator"}
    ),
    "DELETE /members/{user_id}": Operation("members:write", 204, ADMIN),
    "GET /tokens": _list("tokens:read"),
    "POST /tokens": Operation(
        "tokens:write", 201, stranger=201, body=lambda world: {"name": "n", "scopes": ["tokens:write"]}
    ),
    "DELETE /tokens/{token_id}": Operation("tokens:write", 204, owned=True),
    "GET /audit": _list("audit:read", lowest=ADMIN),
    "GET /secrets": _list("secrets:read", lowest=ADMIN),
    "PUT /secrets/{name}": Operation(
        "secrets:write", 200, ADMIN, 200, lambda world: {"value": "a long enough value"}
    ),
    "DELETE /secrets/{name}": Operation("secrets:write", 204, ADMIN),
    "GET /events": _list("events:read"),
    "GET /events/history": _list("events:read"),
    "GET /providers": _list("models:read"),
    "POST /providers": Operation("models:write", 201, ADMIN, 201, lambda world: {"name": "New", **_OPENAI}),
    "GET /providers/{provider_id}": _read("models:read"),
    "PATCH /providers/{provider_id}": Operation(
        "models:write", 200, ADMIN, body=lambda world: {"timeout_s": 20}
    ),
    "DELETE /providers/{provider_id}": Operation("models:write", 204, ADMIN),
    "GET /models": _list("models:read"),
    "POST /models": Operation(
        "models:write", 201, ADMIN,
        body=lambda world: {"provider_id": world.values["provider_id"], "name": "another"},
    ),
    "GET /models/{model_id}": _read("models:read"),
    "PATCH /models/{model_id}": Operation("models:write", 200, ADMIN, body=lambda world: {"label": "x"}),
    "DELETE /models/{model_id}": Operation("models:write", 204, ADMIN),
    "POST /models/{model_id}/test": Operation("models:write", 200, ADMIN),
    "GET /routes": _list("models:read"),
    "PUT /routes/{process}": Operation(
        "models:write", 200, ADMIN, body=lambda world: {"model_ids": [world.values["model_id"]]}
    ),
    "GET /agents": _list("agents:read"),
    "POST /agents": Operation("agents:write", 201, ADMIN, 201, lambda world: {"name": "Another"}),
    "GET /agents/{agent_id}": _read("agents:read"),
    "PATCH /agents/{agent_id}": Operation("agents:write", 200, ADMIN, body=lambda world: {"tagline": "x"}),
    f"GET {_FILES}": _read("memory:read"),
    f"POST {_FILES}": Operation(
        "memory:write", 201, MODERATOR, body=lambda world: Upload("notes.txt", b"other words")
    ),
    f"GET {_FILES}/{{file_id}}": _read("memory:read"),
    f"POST {_FILES}/{{file_id}}/retry": Operation("memory:write", 200, MODERATOR),
    "GET /conversations": _list("conversations:read"),
    "POST /conversations": Operation(
        "conversations:write", 201, body=lambda world: {"agent_id": world.values["agent_id"]}
    ),
    f"GET {_CHAT}": _read("conversations:read", participants=True),
    f"PATCH {_CHAT}": _taking_part("conversations:write", 200, lambda world: {"title": "x"}),
    f"POST {_CHAT}/read": _taking_part("conversations:write", 204, _nothing),
    f"GET {_CHAT}/participants": _read("conversations:read", participants=True),
    f"POST {_CHAT}/participants": _taking_part(
        "conversations:write", 201, lambda world: {"user_id": world.acme.moderator.user.pk}
    ),
    f"DELETE {_CHAT}/participants/{{user_id}}": _taking_part("conversations:write", 204),
    f"GET {_CHAT}/messages": _read("conversations:read", participants=True),
    f"POST {_CHAT}/messages": _taking_part("conversations:write", 201, lambda world: {"text": "hello"}),
    "PUT /messages/{message_id}/reactions/{emoji}": _taking_part("conversations:write", 204),
    "DELETE /messages/{message_id}/reactions/{emoji}": _taking_part("conversations:write", 204),
    "GET /runs": _list("runs:read"),
    "GET /runs/{run_id}": _read("runs:read", participants=True),
    "GET /runs/{run_id}/steps": _read("runs:read", participants=True),
    "POST /runs/{run_id}/cancel": _taking_part("runs:write", 200, _nothing),
    "POST /runs/{run_id}/retry": _taking_part("runs:write", 201),
    "GET /memories": _list("memory:read"),
    "POST /memories": Operation(
        "memory:write", 201, MODERATOR,
        body=lambda world: {
            "agent_id": world.values["agent_id"], "type": "fact", "content": "new", "audience": "organization",
        },
    ),
    "GET /memories/search": Operation("memory:read", query="?query=known&agent_id={agent_id}"),
    "GET /memories/graph": Operation("memory:read", query="?agent_id={agent_id}"),
    "GET /memories/inbox": _list("memory:read"),
    "POST /memories/inbox/{item_id}/resolve": _taking_part(
        "memory:write", 200, lambda world: {"resolution": "keep_both"}
    ),
    f"GET {_MEMORY}": _read("memory:read", participants=True),
    f"PATCH {_MEMORY}": _taking_part("memory:write", 200, lambda world: {"content": "edited"}),
    f"POST {_MEMORY}/forget": _taking_part("memory:write", 200, _nothing),
    f"POST {_MEMORY}/restore": _taking_part("memory:write", 200),
    f"PUT {_MEMORY}/audience": _taking_part(
        "memory:write", 200,
        lambda world: {"audience": "conversation", "conversation_id": world.values["conversation_id"]},
    ),
    f"GET {_MEMORY}/associations": _read("memory:read", participants=True),
    f"POST {_MEMORY}/associations": _taking_part(
        "memory:write", 201, lambda world: {"target_id": world.values["target_id"], "relation": "related_to"}
    ),
    f"DELETE {_MEMORY}/associations/{{target_id}}/{{relation}}": _taking_part("memory:write", 204),
}  # fmt: skip

OPERATIONS = sorted(
    f"{method.upper()} {path.removeprefix('/api/v1')}"
    for path, operations in schema()["paths"].items()
    for method in operations
)
# These run in coroutines with connections of their own, so they need rows that are committed.
COROUTINES = ["GET /events", f"POST {_CHAT}/messages"]

# The pages

Sign = Callable[[World], bool]


@dataclass(frozen=True)
class Page:
    """200 for those of at least `lowest` (403 below), to the sign-in page for nobody.

    `ours`: the address names one of acme's rows, so a stranger gets 404. `participants`: so does everyone who
    does not take part. `ok` is 405 where only acts answer.
    """

    ok: int = 200
    lowest: Role = MEMBER
    ours: bool = False
    participants: bool = False
    acts: bool = False


PAGES: dict[str, Page] = {
    "": Page(302),
    "home/": Page(),
    "palette/": Page(),
    "organization/switch/": Page(405, acts=True),
    "chat/": Page(),
    "chat/list/": Page(),
    "chat/new/": Page(acts=True),
    "chat/<int:conversation_id>/": Page(participants=True),
    "chat/<int:conversation_id>/before/<int:seq>/": Page(participants=True),
    "chat/<int:conversation_id>/rename/": Page(participants=True, acts=True),
    "chat/<int:conversation_id>/archive/": Page(405, participants=True, acts=True),
    "chat/<int:conversation_id>/people/": Page(participants=True, acts=True),
    "chat/<int:conversation_id>/model/": Page(participants=True, acts=True),
    "chat/<int:conversation_id>/quote/<int:message_id>/": Page(participants=True),
    "runs/": Page(),
    "runs/<int:run_id>/": Page(participants=True),
    "agents/": Page(),
    "agents/new/": Page(lowest=ADMIN, acts=True),
    "agents/<slug:slug>/": Page(ours=True, acts=True),
    "memory/": Page(),
    "memory/graph/": Page(),
    "memory/inbox/": Page(acts=True),
    "memory/told/": Page(),
    "memory/<int:memory_id>/": Page(participants=True, acts=True),
    "settings/models/": Page(lowest=ADMIN, acts=True),
    "settings/models/providers/<int:provider_id>/": Page(lowest=ADMIN, ours=True, acts=True),
    "settings/models/providers/<int:provider_id>/offered/": Page(405, ADMIN, ours=True, acts=True),
    "settings/models/<int:entry_id>/": Page(lowest=ADMIN, ours=True, acts=True),
    "settings/models/<int:entry_id>/test/": Page(405, ADMIN, ours=True, acts=True),
    "settings/members/": Page(acts=True),
    "settings/tokens/": Page(acts=True),
    "settings/secrets/": Page(lowest=ADMIN, acts=True),
}


def page_status(rule: Page, who: str) -> int:
    if rule.ok == 405:
        return 405
    if who == NOBODY:
        return 302
    if who == SUPERUSER:
        return 403
    if who == STRANGER:
        return 404 if rule.ours or rule.participants else rule.ok
    if Role(who).level < rule.lowest.level:
        return 403
    return 404 if rule.participants and who != "member" else rule.ok


@dataclass(frozen=True)
class Act:
    """What a form of a page does. `happened` holds afterwards for those who may, and for nobody else.

    The page's own rule comes first; those whom it lets in and who may not get `refused`. Of acme's rows a
    stranger changes none: `stranger` is what they get where the page's address names no row.
    """

    page: str
    name: str
    form: Callable[[World], dict[str, Any]]
    happened: Sign
    ok: int = 302
    lowest: Role = MEMBER
    refused: int = 302
    stranger: int = 302
    owned: bool = False
    participants: bool = False


def act_status(act: Act, who: str) -> tuple[int, bool]:
    """Return the status and whether it happens."""
    rule = PAGES[act.page]
    if who == NOBODY:
        return 302, False
    if who == SUPERUSER:
        return 403, False
    if who == STRANGER:
        return 404 if rule.ours or rule.participants else act.stranger, False
    if Role(who).level < rule.lowest.level:
        return 403, False
    if rule.participants and who != "member":
        return 404, False
    left_out = (act.owned and who == "moderator") or (act.participants and who != "member")
    if Role(who).level < act.lowest.level or left_out:
        return act.refused, False
    return act.ok, True


def _ours(model: Any, **wanted: Any) -> Sign:
    """Say whether acme has such a row; a value in braces names one of the world's."""

    def happened(world: World) -> bool:
        named = {
            key: world.values[value[1:-1]] if str(value).startswith("{") else value
            for key, value in wanted.items()
        }
        return bool(model.objects.filter(organization=world.acme.organization, **named).exists())

    return happened


def _gone(model: Any, **wanted: Any) -> Sign:
    found = _ours(model, **wanted)
    return lambda world: not found(world)


def _form(**fields: Any) -> Callable[[World], dict[str, Any]]:
    def fill(world: World) -> dict[str, Any]:
        return {
            key: world.values[value[1:-1]] if str(value).startswith("{") else value
            for key, value in fields.items()
        }

    return fill


def _tested(world: World) -> bool:
    """A test of a model is one request, which the ledger counts."""
    return LedgerEntry.objects.filter(organization=world.acme.organization, model_asked="offline").exists()


ACTS = [
    Act(
        "organization/switch/", "switch", _form(organization="acme"), lambda world: True, stranger=404
    ),
    Act(
        "chat/new/", "start", _form(agent="{agent_id}", title="Fresh"), _ours(Conversation, title="Fresh"),
        stranger=200,
    ),
    Act(
        "chat/<int:conversation_id>/rename/", "rename", _form(title="Renamed"),
        _ours(Conversation, title="Renamed"),
    ),
    Act(
        "chat/<int:conversation_id>/archive/", "archive", _form(),
        _ours(Conversation, pk="{conversation_id}", archived_at__isnull=False),
    ),
    Act(
        "chat/<int:conversation_id>/people/", "add",
        lambda world: {"act": "add", "people": [world.acme.moderator.user.pk]},
        lambda world: Participant.objects.filter(person__user=world.acme.moderator.user).exists(),
    ),
    Act(
        "chat/<int:conversation_id>/people/", "remove", _form(act="remove", user="{user_id}"),
        _gone(Participant, conversation="{conversation_id}", person__user="{user_id}"),
    ),
    Act(
        "chat/<int:conversation_id>/model/", "choose", _form(model="{model_id}"),
        lambda world: "model" in Conversation.objects.get(pk=world.values["conversation_id"]).settings,
    ),
    Act(
        "agents/new/", "create", _form(name="Created", preset="general"), _ours(Agent, name="Created")
    ),
    Act(
        "agents/<slug:slug>/", "change", _form(name="Changed"), _ours(Agent, name="Changed"),
        lowest=ADMIN, refused=200,
    ),
    Act(
        "memory/inbox/", "decide", _form(item="{item_id}", resolution="keep_both"),
        _ours(InboxItem, pk="{item_id}", resolution="keep_both"), participants=True,
    ),
    Act(
        "memory/<int:memory_id>/", "edit", _form(act="edit", content="edited"),
        _ours(Memory, pk="{memory_id}", content="edited"),
    ),
    Act(
        "memory/<int:memory_id>/", "pin", _form(act="pin"), _ours(Memory, pk="{memory_id}", pinned=True),
    ),
    Act(
        "memory/<int:memory_id>/", "forget", _form(act="forget"),
        _ours(Memory, pk="{memory_id}", forgotten_at__isnull=False),
    ),
    Act(
        "memory/<int:memory_id>/", "restore", _form(act="restore"),
        _ours(Memory, pk="{memory_id}", forgotten_at__isnull=True),
    ),
    Act(
        "memory/<int:memory_id>/", "audience", _form(act="audience", audience="person"),
        _ours(Memory, pk="{memory_id}", audience="person"),
    ),
    Act(
        "settings/models/", "add_provider",
        _form(act="add_provider", name="Added", kind="openai_chat", api_key="sk-0123456789abcdef"),
        _ours(Provider, name="Added"),
    ),
    Act(
        "settings/models/", "remove_provider", _form(act="remove_provider", provider="{provider_id}"),
        _gone(Provider, pk="{provider_id}"),
    ),
    Act(
        "settings/models/", "switch_provider",
        _form(act="switch_provider", provider="{provider_id}", enabled="0"),
        _ours(Provider, pk="{provider_id}", enabled=False),
    ),
    Act(
        "settings/models/", "add_model", _form(act="add_model", provider="{provider_id}", name="added"),
        _ours(ModelEntry, name="added"),
    ),
    Act(
        "settings/models/", "remove_model", _form(act="remove_model", model="{model_id}"),
        _gone(ModelEntry, pk="{model_id}"),
    ),
    Act(
        "settings/models/", "route", _form(act="route", process="branch", entry="{model_id}"),
        _ours(Route, process="branch"),
    ),
    Act(
        "settings/models/", "add_models", _form(act="add_models", provider="{provider_id}", names="added"),
        _ours(ModelEntry, name="added"),
    ),
    Act(
        "settings/models/providers/<int:provider_id>/", "edit", _form(name="Edited", timeout_s="60"),
        _ours(Provider, name="Edited"),
    ),
    Act(
        "settings/models/providers/<int:provider_id>/offered/", "ask", _form(), lambda world: True, ok=200,
    ),
    Act(
        "settings/models/<int:entry_id>/", "edit",
        _form(label="Edited", context_window="1000", max_output_tokens="100"),
        _ours(ModelEntry, label="Edited"),
    ),
    Act("settings/models/<int:entry_id>/test/", "test", _form(), _tested, ok=200),
    Act(
        "settings/members/", "add", _form(act="add", email="added@acme.test"),
        _ours(Membership, user__email="added@acme.test"), lowest=ADMIN,
    ),
    Act(
        "settings/members/", "role", _form(act="role", user="{user_id}", role="moderator"),
        _ours(Membership, user="{user_id}", role="moderator"), lowest=ADMIN,
    ),
    Act(
        "settings/members/", "remove", _form(act="remove", user="{user_id}"),
        _gone(Membership, user="{user_id}"), lowest=ADMIN,
    ),
    Act(
        "settings/tokens/", "create", _form(name="created", scopes="runs:read", days="30"),
        _ours(ApiToken, name="created"), ok=200, stranger=200,
    ),
    Act(
        "settings/tokens/", "revoke", _form(act="revoke", token="{token_id}"),
        _ours(ApiToken, pk="{token_id}", revoked_at__isnull=False), owned=True,
    ),
    Act(
        "settings/secrets/", "set", _form(name="ADDED_KEY", value="a long enough value"),
        _ours(Secret, name="ADDED_KEY"),
    ),
    Act("settings/secrets/", "delete", _form(act="delete", name="{name}"), _gone(Secret, name="{name}")),
]  # fmt: skip

# Addresses without an organization: (GET, POST) by nobody, (GET, POST) by a member

OUTSIDE: dict[str, tuple[tuple[int, int], tuple[int, int]]] = {
    "healthz": ((200, 405), (200, 405)),
    "api/v1/openapi.json": ((200, 405), (200, 405)),
    "api/v1/docs": ((200, 405), (200, 405)),
    "api/v1/": ((404, 404), (404, 404)),
    "sign-in/<str:raw>/": ((410, 410), (410, 410)),
    "sign-in/link/<str:raw>/": ((410, 410), (410, 410)),
    "accounts/login/": ((200, 200), (302, 302)),
    "accounts/logout/": ((302, 302), (200, 302)),
    "accounts/inactive/": ((200, 405), (200, 405)),
    "accounts/signup/": ((200, 200), (302, 302)),
    "accounts/reauthenticate/": ((302, 302), (200, 200)),
    "accounts/email/": ((404, 404), (404, 404)),
    "accounts/confirm-email/": ((200, 405), (200, 405)),
    "accounts/confirm-email/<key>/": ((200, 404), (200, 404)),
    "accounts/login/code/confirm/": ((302, 302), (302, 302)),
    "accounts/password/change/": ((302, 302), (200, 200)),
    "accounts/password/set/": ((302, 302), (302, 302)),
    "accounts/password/reset/": ((200, 200), (200, 200)),
    "accounts/password/reset/done/": ((200, 405), (200, 405)),
    "accounts/password/reset/key/<uidb36>-<key>/": ((200, 200), (200, 200)),
    "accounts/password/reset/key/done/": ((200, 405), (200, 405)),
}

# The admin. Nobody and members are led to the sign-in page; the moderator is marked as staff by mistake.

# (GET, POST) by the moderator, by owners and administrators anywhere, by a superuser
ADMIN_PAGES: dict[str, tuple[tuple[int, int], tuple[int, int], tuple[int, int]]] = {
    "admin/": ((200, 200), (200, 200), (200, 200)),
    "admin/search/": ((200, 200), (200, 200), (200, 200)),
    "admin/login/": ((302, 200), (302, 200), (302, 200)),
    "admin/logout/": ((405, 200), (405, 200), (405, 200)),
    "admin/password_change/": ((200, 200), (200, 200), (200, 200)),
    "admin/password_change/done/": ((200, 405), (200, 405), (200, 405)),
    "admin/autocomplete/": ((403, 405), (403, 405), (403, 405)),
    "admin/jsi18n/": ((200, 405), (200, 405), (200, 405)),
    "admin/r/<path:content_type_id>/<path:object_id>/": ((404, 404), (404, 404), (404, 404)),
    "admin/<app_label>/": ((404, 404), (200, 200), (200, 200)),
    "admin/accounts/user/<id>/password/": ((403, 403), (403, 403), (200, 200)),
    "admin/<url>": ((404, 404), (404, 404), (404, 404)),
}


@dataclass(frozen=True)
class Rows:
    """What administrators may do with a model's rows; a superuser may as well. Nobody else reaches any.

    `hidden` leaves the rows, and `fixed` the changes, to superusers. `held` rows are in use by other rows,
    so that deleting them is refused.
    """

    add: bool = False
    change: bool = False
    delete: bool = False
    hidden: bool = False
    fixed: bool = False
    held: bool = False


def admin_status(rule: Rows, who: str, page: str) -> set[int]:
    """Return the statuses that are right for acme's row.

    A form that is let in answers 200 with what is missing or 302 when it was saved. A row that is not theirs
    is for a stranger like one that is not there, which the admin answers with 302 to its front page.
    """
    if who in (NOBODY, "member"):
        return {302}
    verb = page.removeprefix("post ")
    if who == "moderator" or (rule.hidden and who != SUPERUSER):
        return {302, 403} if verb == "history" else {403}
    may_write = who == SUPERUSER or not rule.fixed
    allowed = {"add": rule.add, "change": rule.change, "delete": rule.delete}
    if page != "change" and verb in allowed and not (allowed[verb] and may_write):
        return {403}
    if who == STRANGER and verb in ("change", "delete", "history"):
        return {302}
    if page == "post delete" and rule.held:
        return {403}
    return {200, 302} if page.startswith("post ") else {200}


SEEN = Rows()
EDITED = Rows(add=True, change=True, delete=True)
HELD = Rows(add=True, change=True, delete=True, held=True)
HIDDEN = Rows(hidden=True)
OTHERS = Rows(add=True, change=True, delete=True, hidden=True)

ADMIN_ROWS: dict[str, Rows] = {
    "account.EmailAddress": OTHERS,
    "accounts.ApiToken": SEEN,
    "accounts.AuditEvent": SEEN,
    "accounts.Identity": EDITED,
    "accounts.Membership": EDITED,
    "accounts.Organization": Rows(change=True),
    "accounts.Person": HELD,
    "accounts.SignInLink": HIDDEN,
    "accounts.User": Rows(add=True, change=True, fixed=True),
    "agents.Agent": HELD,
    "agents.Checkpoint": SEEN,
    "agents.Keeping": SEEN,
    "agents.Prompt": SEEN,
    "agents.Report": SEEN,
    "agents.Run": SEEN,
    "agents.RunInput": SEEN,
    "agents.Step": SEEN,
    "agents.ToolCall": SEEN,
    "django_celery_beat.ClockedSchedule": OTHERS,
    "django_celery_beat.CrontabSchedule": OTHERS,
    "django_celery_beat.IntervalSchedule": OTHERS,
    "django_celery_beat.PeriodicTask": OTHERS,
    "django_celery_beat.SolarSchedule": OTHERS,
    "llm.LedgerEntry": SEEN,
    "llm.ModelEntry": EDITED,
    "llm.Provider": EDITED,
    "llm.Route": EDITED,
    "memory.Association": SEEN,
    "memory.Consolidation": SEEN,
    "memory.InboxItem": SEEN,
    "memory.IngestedFile": SEEN,
    "memory.Memory": SEEN,
    "memory.MemoryEdit": SEEN,
    "messaging.Binding": EDITED,
    "messaging.Conversation": SEEN,
    "messaging.Delivery": SEEN,
    "messaging.Message": SEEN,
    "messaging.Participant": SEEN,
    "messaging.PlatformAccount": Rows(add=True, change=True),
    "messaging.Reaction": SEEN,
    "realtime.Event": SEEN,
    "realtime.EventCounter": HIDDEN,
    "secrets.DataKey": HIDDEN,
    "secrets.Secret": EDITED,
}


# What streams: the WebSocket's addresses; the same as server-sent events are among the operations.

SOCKETS = {"api/v1/events"}

# Models without an organization of their own, and why

GLOBAL_MODELS = {
    "accounts.User": "a login may belong to several organizations; reached through memberships",
    "accounts.Organization": "the tenant itself",
    "accounts.SignInLink": "belongs to a user; only its digest is stored",
    "secrets.DataKey": "wraps secrets of the whole installation; useless without the master key",
    "memory.CommonTerm": "words of a shelf, which has one; read by statements that begin with the shelf",
    "admin.LogEntry": "Django's own; shown to superusers",
    "auth.Permission": "Django's own catalogue",
    "auth.Group": "Django's own; unused",
    "contenttypes.ContentType": "Django's own catalogue",
    "sessions.Session": "belongs to a browser",
    "django_celery_beat.SolarSchedule": "the installation's schedule",
    "django_celery_beat.IntervalSchedule": "the installation's schedule",
    "django_celery_beat.ClockedSchedule": "the installation's schedule",
    "django_celery_beat.CrontabSchedule": "the installation's schedule",
    "django_celery_beat.PeriodicTasks": "the installation's schedule",
    "django_celery_beat.PeriodicTask": "the installation's schedule",
    "account.EmailAddress": "belongs to a user",
    "account.EmailConfirmation": "belongs to a user",
}
