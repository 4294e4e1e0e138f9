"""Every list page of the admin × everyone: who is let in, and that no other team's row shows."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from tests.api.matrix import GLOBAL_MODELS

MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_an_admin_list_is_for_administrators_of_the_team(
    team: Any, rivals: Any, settings: Any, model: Any
) -> None:
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    people = {"nobody": None, "member": team.member, "moderator": team.moderator, "owner": team.owner}
    got = {}
    for who, actor in people.items():
        client = Client()
        if actor is not None:
            client.force_login(actor.user, backend="django.contrib.auth.backends.ModelBackend")
        response = client.get(address)
        got[who] = response.status_code
        if response.status_code == 200 and hasattr(model, "organization"):
            shown = response.context_data["cl"].queryset
            assert not shown.filter(organization=rivals.organization).exists()
    assert got["nobody"] == 302
    assert {got["member"], got["moderator"]} <= {302, 403}
    wanted = {403} if model._meta.label in GLOBAL_MODELS else {200, 403}
    if model._meta.label in ("accounts.User", "accounts.Organization"):
        wanted = {200, 403}
    assert got["owner"] in wanted
