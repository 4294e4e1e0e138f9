"""Functions of higher packages that hear of changes here, inside the transaction of the change. The site fills the lists."""

from __future__ import annotations

from collections.abc import Callable

from accounts.models import Person
from messaging.models import Conversation

on_joined: list[Callable[[Conversation, Person], None]] = []
"""Each is called when a person joins a conversation in which something was said already."""
