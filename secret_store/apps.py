from __future__ import annotations

from django.apps import AppConfig


class SecretStoreConfig(AppConfig):
    name = "secret_store"
    label = "secrets"
    verbose_name = "Secrets"

    def ready(self) -> None:
        from secret_store import log_gate

        log_gate.install()
