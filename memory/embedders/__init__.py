"""Embedders by name, made once per process. `SPACEBOT_EMBEDDER` chooses: `minilm`, `hashing`,
`openai:<model>` (any compatible endpoint) or `fastembed:<model>`.
"""

from __future__ import annotations

from functools import cache

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from memory.embedders.base import Embedder, Vector
from memory.embedders.hashing import HashingEmbedder
from memory.embedders.minilm import MiniLM

__all__ = ["Embedder", "Vector", "current_embedder"]


def current_embedder() -> Embedder:
    return _make(settings.SPACEBOT_EMBEDDER)


@cache
def _make(setting: str) -> Embedder:
    kind, _, model = setting.partition(":")
    if kind == "minilm":
        return MiniLM()
    if kind == "hashing":
        return HashingEmbedder(name=setting)
    if kind == "openai" and model:
        from memory.embedders.openai_compatible import (
            OpenAICompatible,
        )  # An HTTP client is much for who needs none.

        return OpenAICompatible(model)
    if kind == "fastembed" and model:
        from memory.embedders.optional_fastembed import FastEmbed

        return FastEmbed(model)
    raise ImproperlyConfigured(
        f"SPACEBOT_EMBEDDER is {setting!r}; it can be minilm, hashing, openai:<model> or fastembed:<model>"
    )
