"""Which models a provider offers, as far as it tells."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from accounts.actor import Actor
from accounts.models import Role
from llm import queries
from llm.clients.endpoint import Endpoint
from llm.clients.pool import borrow
from llm.errors import BadResponse, LLMError, ProviderUnavailable
from llm.services.routing import endpoint_for

LISTING_TIMEOUT_S = 15.0
MOST_MODELS = 500


def list_offered_models(actor: Actor, provider_id: int) -> list[str]:
    """Ask the provider for the names of its models. One request; raises LLMError."""
    actor.check_level(Role.ADMIN)
    provider = queries.get_provider(actor, provider_id)
    endpoint, problem = endpoint_for(provider)
    if problem:
        raise ProviderUnavailable("The key of the model provider cannot be read.", vendor_text=problem)
    return ask_for_models(endpoint, timeout_s=LISTING_TIMEOUT_S)


def ask_for_models(endpoint: Endpoint, *, timeout_s: float) -> list[str]:
    """Return the names, in the vendor's order."""
    if endpoint.kind == "anthropic":
        from llm.clients.anthropic_errors import translate
        from llm.clients.pool import anthropic_client as client_of

        path = "/v1/models?limit=100"
    else:
        from llm.clients.openai_errors import translate
        from llm.clients.pool import openai_client as client_of  # type: ignore[assignment]

        path = "/models"
    get: Callable[[Endpoint], Any] = client_of
    try:
        with borrow(get, endpoint) as client:
            found = client.get(path, cast_to=object, options={"timeout": timeout_s})
        return [str(model["id"]) for model in found["data"]][:MOST_MODELS]
    except (KeyError, TypeError) as error:
        raise BadResponse("The provider does not list its models.", vendor_text=repr(error)) from error
    except LLMError:
        raise
    except Exception as error:
        ours = translate(error)
        if ours is None:
            raise
        raise ours from error
