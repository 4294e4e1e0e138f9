"""Print a link that signs a user in once, for whoever has access to the machine."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse

from accounts.errors import InvalidInput
from accounts.models import User
from accounts.services.links import create_sign_in_link


class Command(BaseCommand):
    help = "Print a one-time sign-in link for a user."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--minutes", type=int, default=60, help="how long it works (default 60)")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(email=options["email"].strip().lower(), is_active=True).first()
        if user is None:
            raise CommandError(f"there is no active user {options['email']}")
        try:
            raw = create_sign_in_link(user, ttl_s=options["minutes"] * 60)
        except InvalidInput as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"{settings.PUBLIC_URL}{reverse('sign_in_link', args=[raw])}")
