"""How an agent introduces itself: made by a model from its texts, once for each version of them.

An unchanged agent costs one comparison and no request; without a configured model none is made at all.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.utils import timezone
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from agents import presets
from agents.context.prompts import render
from agents.cortex.claims import hold
from agents.cortex.jobs import Result, Work
from agents.models import Agent, CortexJob, Profile
from llm.models import Process
from llm.services import CallContext, complete
from llm.services.routing import get_routing
from llm.types import CancelToken, ChatRequest, ChatResponse, ToolSpec, UserMessage
from realtime.services import NewEvent, record, unit_of_work

VERSION = "1"
"""Rises with the prompt's meaning, and has every profile made again."""
MOST_TRIES = 5
"""Requests for one version of the texts; then it is left until they change."""
DEADLINE_S = 120.0
MOST_OF_A_TEXT = 8_000


class Written(BaseModel):
    """What the model hands back; white space is folded, so that it stays within its line."""

    model_config = ConfigDict(extra="ignore")
    display_name: str = Field(min_length=1, max_length=80)
    status_line: str = Field(min_length=1, max_length=120)
    bio: str = Field(min_length=1, max_length=600)

    @field_validator("*", mode="before")
    @classmethod
    def _fold(cls, value: Any) -> Any:
        return " ".join(value.replace("\0", "").split()) if isinstance(value, str) else value


def write_profile(work: Work) -> Result:
    agent, digest = work.agent, digest_of(work.agent)
    profile = Profile.objects.filter(agent=agent).first()
    if profile is not None and profile.digest == digest:
        return Result(detail={"state": "up to date"})
    if not any((agent.soul, agent.identity, agent.role)):
        return Result(detail={"state": "the agent has no texts yet"})
    if _is_as_made(agent):
        return Result(detail={"state": "its preset introduces it"})
    if not get_routing(agent.organization_id).entries:
        return Result(detail={"state": "no model is configured"})
    tries = work.cursor.get("tries", 0) if work.cursor.get("digest") == digest else 0
    if tries >= MOST_TRIES:
        return Result(detail={"state": "given up until the texts change", "tries": tries})
    _count_try(work, digest, tries + 1)
    response = _ask(agent)
    _store(work, digest, read(response), response.model)
    return Result(
        "Wrote how the agent introduces itself.", {"state": "written"}, {"digest": digest, "tries": 0}
    )


def _is_as_made(agent: Agent) -> bool:
    """Say whether nobody has changed what a preset wrote: its tagline says all that a model could."""
    preset = presets.PRESETS.get(agent.preset)
    if preset is None:
        return False
    made = (preset.tagline, preset.soul, preset.identity, preset.role)
    return made == (agent.tagline, agent.soul, agent.identity, agent.role)


def digest_of(agent: Agent) -> str:
    """Return what changes with the texts that a profile is made from."""
    texts = [VERSION, agent.name, agent.tagline, agent.soul, agent.identity, agent.role]
    return hashlib.sha256(json.dumps(texts).encode()).hexdigest()


def read(response: ChatResponse) -> Written:
    """Return the first call's arguments. Raises ValueError when there is none that can be used."""
    for call in response.message.tool_calls:
        if call.name == "write_profile":
            try:
                return Written.model_validate(json.loads(call.arguments or "{}"))
            except ValidationError as error:
                raise ValueError(
                    f"the profile cannot be used: {error.error_count()} fields are wrong"
                ) from None
    raise ValueError("the model wrote no profile")


def _ask(agent: Agent) -> ChatResponse:
    texts = {
        "Name": agent.name,
        "In one line": agent.tagline,
        "Character": agent.soul,
        "Identity": agent.identity,
    }
    parts = [
        f"[{name}]\n{text[:MOST_OF_A_TEXT]}" for name, text in (texts | {"Role": agent.role}).items() if text
    ]
    tool = ToolSpec("write_profile", "Hand in the profile.", Written.model_json_schema())
    request = ChatRequest(
        system=(render("profile"),),
        messages=(UserMessage("\n\n".join(parts)),),
        tools=(tool,),
        require_tool=True,
    )
    context = CallContext(
        organization_id=agent.organization_id,
        process=Process.CORTEX,
        agent_id=agent.pk,
        deadline_s=DEADLINE_S,
    )
    return complete(context, request, on_event=lambda event: None, cancel=CancelToken()).response


def _count_try(work: Work, digest: str, tries: int) -> None:
    """Write the try down before it is made: a pass that dies in it has spent it all the same."""
    CortexJob.objects.filter(pk=work.job_id, fence=work.fence).update(
        cursor={"digest": digest, "tries": tries}
    )


def _store(work: Work, digest: str, written: Written, model: str) -> None:
    """Keep the profile, unless the job was taken over meanwhile."""
    agent = work.agent
    with unit_of_work():
        if not hold(work.job_id, work.fence):
            return
        Profile.objects.update_or_create(
            agent=agent,
            defaults={
                **written.model_dump(),
                "organization_id": agent.organization_id,
                "digest": digest,
                "model": model[:120],
                "made_at": timezone.now(),
            },
        )
        record(agent.organization_id, NewEvent("agent.changed", {"agent_id": agent.pk}))
