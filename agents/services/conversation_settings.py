"""What is chosen for one conversation alone."""

from __future__ import annotations

from accounts.actor import Actor
from accounts.errors import InvalidInput
from accounts.services import audit
from agents.models import Keeping
from agents.services.events import withdraw_conversation
from llm.queries import get_model
from memory.modes import MODES, memory_mode
from memory.services.transcripts import pass_over
from messaging.models import Conversation
from messaging.queries import get_conversation
from messaging.services.conversations import record_change
from realtime.services import unit_of_work


def choose_model(actor: Actor, conversation_id: int, *, model_id: int | None) -> Conversation:
    """Let this model answer in the conversation before those of the routes; None goes back to the routes.

    Whoever takes part may choose among the models that are on.
    """
    found = get_conversation(actor, conversation_id)
    if model_id is not None:
        entry = get_model(actor, model_id)
        if not (entry.enabled and entry.provider.enabled):
            raise InvalidInput("This model is switched off.", field="model")
    with unit_of_work():
        conversation = Conversation.objects.select_for_update().get(pk=found.pk)
        conversation.settings.pop("model", None)
        if model_id is not None:
            conversation.settings["model"] = model_id
        conversation.save(update_fields=["settings"])
    return conversation


def choose_memory(actor: Actor, conversation_id: int, *, mode: str) -> Conversation:
    """Let the conversation be remembered in full, be told without being kept (ambient), or neither (off). Audited.

    Whoever takes part may choose. What was said while it was not kept is never kept or found later, whatever is
    chosen then. Switching it off takes what happened there out of the event log for good.
    """
    if mode not in MODES:
        raise InvalidInput(f"The memory of a conversation is one of: {', '.join(MODES)}.", field="memory")
    found = get_conversation(actor, conversation_id)
    with unit_of_work():
        conversation = Conversation.objects.select_for_update().get(pk=found.pk)
        before = memory_mode(conversation)
        if before == mode:
            return conversation
        if before == "off":
            pass_over(conversation)
        if before != "full":
            _never_keep(conversation)
        conversation.settings["memory"] = mode
        conversation.save(update_fields=["settings"])
        if mode == "off":
            withdraw_conversation(conversation)
        record_change(conversation)
        audit.record(
            actor, actor.organization, "conversation.memory_changed", f"conversation {conversation.pk}",
            before=before, after=mode,
        )  # fmt: skip
    return conversation


def _never_keep(conversation: Conversation) -> None:
    """Let memory keeping begin after what was said up to now."""
    keeping, _ = Keeping.objects.get_or_create(
        conversation=conversation, defaults={"organization_id": conversation.organization_id}
    )
    keeping.kept_seq = max(keeping.kept_seq, conversation.last_seq)
    keeping.save(update_fields=["kept_seq"])
