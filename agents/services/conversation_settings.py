"""What is chosen for one conversation alone."""

from __future__ import annotations

from accounts.actor import Actor
from accounts.errors import InvalidInput
from llm.queries import get_model
from messaging.models import Conversation
from messaging.queries import get_conversation
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
