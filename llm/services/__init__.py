"""Asking models: `complete` is the one way in."""

from llm.services.calls import CallContext, CompletedCall, complete

__all__ = ["CallContext", "CompletedCall", "complete"]
