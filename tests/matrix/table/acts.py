"""What the forms of pages do."""

from __future__ import annotations

from accounts.models import ApiToken, Membership
from agents.models import Agent
from llm.models import LedgerEntry, ModelEntry, Provider, Route
from memory.models import InboxItem, Memory
from messaging.models import Conversation, Participant
from secret_store.models import Secret
from tests.matrix.table.rules import ADMIN, Act, form, gone, ours
from tests.matrix.world import World


def _tested(world: World) -> bool:
    """A test of a model is one request, which the ledger counts."""
    return LedgerEntry.objects.filter(organization=world.acme.organization, model_asked="offline").exists()


ACTS = [
    Act(
        "organization/switch/", "switch", form(organization="acme"), lambda world: True, stranger=404
    ),
    Act(
        "chat/new/", "start", form(agent="{agent_id}", title="Fresh"), ours(Conversation, title="Fresh"),
        stranger=200,
    ),
    Act(
        "chat/<int:conversation_id>/rename/", "rename", form(title="Renamed"),
        ours(Conversation, title="Renamed"),
    ),
    Act(
        "chat/<int:conversation_id>/archive/", "archive", form(),
        ours(Conversation, pk="{conversation_id}", archived_at__isnull=False),
    ),
    Act(
        "chat/<int:conversation_id>/people/", "add",
        lambda world: {"act": "add", "people": [world.acme.moderator.user.pk]},
        lambda world: Participant.objects.filter(person__user=world.acme.moderator.user).exists(),
    ),
    Act(
        "chat/<int:conversation_id>/people/", "remove", form(act="remove", user="{user_id}"),
        gone(Participant, conversation="{conversation_id}", person__user="{user_id}"),
    ),
    Act(
        "chat/<int:conversation_id>/model/", "choose", form(model="{model_id}"),
        lambda world: "model" in Conversation.objects.get(pk=world.values["conversation_id"]).settings,
    ),
    Act(
        "agents/new/", "create", form(name="Created", preset="general"), ours(Agent, name="Created")
    ),
    Act(
        "agents/<slug:slug>/", "change", form(name="Changed"), ours(Agent, name="Changed"),
        lowest=ADMIN, refused=200,
    ),
    Act(
        "memory/inbox/", "decide", form(item="{item_id}", resolution="keep_both"),
        ours(InboxItem, pk="{item_id}", resolution="keep_both"), participants=True,
    ),
    Act(
        "memory/<int:memory_id>/", "edit", form(act="edit", content="edited"),
        ours(Memory, pk="{memory_id}", content="edited"),
    ),
    Act(
        "memory/<int:memory_id>/", "pin", form(act="pin"), ours(Memory, pk="{memory_id}", pinned=True),
    ),
    Act(
        "memory/<int:memory_id>/", "forget", form(act="forget"),
        ours(Memory, pk="{memory_id}", forgotten_at__isnull=False),
    ),
    Act(
        "memory/<int:memory_id>/", "restore", form(act="restore"),
        ours(Memory, pk="{memory_id}", forgotten_at__isnull=True),
    ),
    Act(
        "memory/<int:memory_id>/", "audience", form(act="audience", audience="person"),
        ours(Memory, pk="{memory_id}", audience="person"),
    ),
    Act(
        "settings/models/", "add_provider",
        form(act="add_provider", name="Added", kind="openai_chat", api_key="sk-0123456789abcdef"),
        ours(Provider, name="Added"),
    ),
    Act(
        "settings/models/", "remove_provider", form(act="remove_provider", provider="{provider_id}"),
        gone(Provider, pk="{provider_id}"),
    ),
    Act(
        "settings/models/", "switch_provider",
        form(act="switch_provider", provider="{provider_id}", enabled="0"),
        ours(Provider, pk="{provider_id}", enabled=False),
    ),
    Act(
        "settings/models/", "add_model", form(act="add_model", provider="{provider_id}", name="added"),
        ours(ModelEntry, name="added"),
    ),
    Act(
        "settings/models/", "remove_model", form(act="remove_model", model="{model_id}"),
        gone(ModelEntry, pk="{model_id}"),
    ),
    Act(
        "settings/models/", "route", form(act="route", process="branch", entry="{model_id}"),
        ours(Route, process="branch"),
    ),
    Act(
        "settings/models/", "add_models", form(act="add_models", provider="{provider_id}", names="added"),
        ours(ModelEntry, name="added"),
    ),
    Act(
        "settings/models/providers/<int:provider_id>/", "edit", form(name="Edited", timeout_s="60"),
        ours(Provider, name="Edited"),
    ),
    Act(
        "settings/models/providers/<int:provider_id>/offered/", "ask", form(), lambda world: True, ok=200,
    ),
    Act(
        "settings/models/<int:entry_id>/", "edit",
        form(label="Edited", context_window="1000", max_output_tokens="100"),
        ours(ModelEntry, label="Edited"),
    ),
    Act("settings/models/<int:entry_id>/test/", "test", form(), _tested, ok=200),
    Act(
        "settings/members/", "add", form(act="add", email="added@acme.test"),
        ours(Membership, user__email="added@acme.test"), lowest=ADMIN,
    ),
    Act(
        "settings/members/", "role", form(act="role", user="{user_id}", role="moderator"),
        ours(Membership, user="{user_id}", role="moderator"), lowest=ADMIN,
    ),
    Act(
        "settings/members/", "remove", form(act="remove", user="{user_id}"),
        gone(Membership, user="{user_id}"), lowest=ADMIN,
    ),
    Act(
        "settings/tokens/", "create", form(name="created", scopes="runs:read", days="30"),
        ours(ApiToken, name="created"), ok=200, stranger=200,
    ),
    Act(
        "settings/tokens/", "revoke", form(act="revoke", token="{token_id}"),
        ours(ApiToken, pk="{token_id}", revoked_at__isnull=False), owned=True,
    ),
    Act(
        "settings/secrets/", "set", form(name="ADDED_KEY", value="a long enough value"),
        ours(Secret, name="ADDED_KEY"),
    ),
    Act("settings/secrets/", "delete", form(act="delete", name="{name}"), gone(Secret, name="{name}")),
]  # fmt: skip
