"""Bring an installation to the point where somebody can sign in. Every step may be repeated at each start."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.urls import reverse

from accounts.actor import Actor, actor_for
from accounts.errors import AccountsError
from accounts.models import Membership, Organization, Role, User
from accounts.scopes import allowed_scopes
from accounts.services.links import create_sign_in_link
from accounts.services.members import sync_staff
from accounts.services.organizations import create_organization
from accounts.services.people import person_for_user
from accounts.services.tokens import authenticate_token, create_token
from agents.models import Agent
from agents.services.agents import make_agent
from llm.errors import LLMError
from llm.services.setup import import_environment
from spacebot_site.environment import read_str
from spacebot_site.launch.home import read_private, write_private

LOCK_NUMBER = 7_221_903
# Builds for bundlers: their imports name files that a browser never asks for.
UNSERVED = ["*.amd.js", "*.cjs.js", "*.esm.js", "*.d.ts", "ext"]
LINK_TTL_S = 24 * 3600


@dataclass(frozen=True)
class Installation:
    owner: Actor
    is_new: bool


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Let one process at a time prepare this database, whichever machine it runs on."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_lock(%s)", [LOCK_NUMBER])
        try:
            yield
        finally:
            cursor.execute("select pg_advisory_unlock(%s)", [LOCK_NUMBER])


def migrate_if_needed() -> bool:
    """Bring the tables up to date; tell whether there was anything to do."""
    executor = MigrationExecutor(connection)
    if not executor.migration_plan(executor.loader.graph.leaf_nodes()):
        return False
    call_command("migrate", verbosity=0, interactive=False)
    return True


def collect_static_files() -> None:
    call_command("collectstatic", verbosity=0, interactive=False, ignore_patterns=UNSERVED)


def ensure_installation() -> Installation:
    """Return the first organization's owner, making organization and owner where there are none."""
    organization = Organization.objects.order_by("pk").first()
    owner = _find_owner(organization) if organization else None
    if owner:
        return Installation(owner, is_new=False)
    user = _ensure_owner_user()
    if organization is None:
        organization = create_organization(read_str("SPACEBOT_ORGANIZATION", "My team"), owner=user)
    else:
        Membership.objects.update_or_create(
            organization=organization, user=user, defaults={"role": Role.OWNER}
        )
        person_for_user(organization, user)
        sync_staff(user)
    return Installation(Actor(user=user, organization=organization, role=Role.OWNER), is_new=True)


def ensure_agent(owner: Actor) -> str:
    """Return the slug of the organization's first agent, making one where there is none."""
    found = Agent.objects.filter(organization=owner.organization).order_by("pk").first()
    agent = found or make_agent(owner.organization, name=read_str("SPACEBOT_AGENT", "Spacebot"))
    return str(agent.slug)


def import_providers(owner: Actor) -> list[str]:
    """Make providers of the keys in our environment, unless there are some; return what went wrong, for people."""
    try:
        import_environment(owner.organization, dict(os.environ))
    except (AccountsError, LLMError) as error:
        return [f"The model providers in the environment were not set up: {error}"]
    return []


def sign_in_path(owner: Actor) -> str:
    """Return the path of a link that signs the owner in once."""
    return reverse("sign_in_link", args=[create_sign_in_link(owner.user, ttl_s=LINK_TTL_S)])


def ensure_launcher_token(owner: Actor) -> None:
    """Keep a token of the owner in the home, for `./spacebot chat`."""
    path = launcher_token_path(settings.SPACEBOT_HOME)
    if authenticate_token(read_private(path)) is None:
        _, raw = create_token(owner, name="launcher", scopes=allowed_scopes(owner.role))
        write_private(path, raw)


def launcher_token_path(home: Path) -> Path:
    return home / "config" / "launcher_token"


def _find_owner(organization: Organization) -> Actor | None:
    found = (
        Membership.objects.select_related("user", "organization")
        .filter(organization=organization, role=Role.OWNER, user__is_active=True)
        .order_by("pk")
        .first()
    )
    return actor_for(found) if found else None


def _ensure_owner_user() -> User:
    email = read_str("SPACEBOT_OWNER_EMAIL", "owner@localhost").lower()
    found = User.objects.filter(email=email).first()
    return found or User.objects.create_superuser(email, name=read_str("SPACEBOT_OWNER_NAME", "Owner"))
