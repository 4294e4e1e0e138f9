from __future__ import annotations

from django.apps import AppConfig


class SiteConfig(AppConfig):
    name = "spacebot_site"
    label = "site"
    verbose_name = "Spacebot"

    def ready(self) -> None:
        from spacebot_site import (
            celery,  # noqa: F401  shared_task needs the application
            hooks,
            wiring,
        )

        wiring.connect()
        hooks.hide_tokens()
