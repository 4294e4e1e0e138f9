"""Nothing answers that the table does not know."""

from __future__ import annotations

from django.apps import apps

from accounts.models import Organization
from spacebot_site.asgi import websocket_urls
from tests.matrix.patterns import PATTERNS
from tests.matrix.table import ACTS, ADMIN_ROWS, API, OPERATIONS, PAGES, SOCKETS
from tests.matrix.table.admin import ADMIN_PAGES, GLOBAL_MODELS
from tests.matrix.table.pages import OUTSIDE
from tests.matrix.world import registered_models

ROW_PAGES = (
    "",
    "add/",
    "<path:object_id>/",
    "<path:object_id>/change/",
    "<path:object_id>/delete/",
    "<path:object_id>/history/",
)


def test_the_table_knows_every_address_of_the_site() -> None:
    rows = {f"admin/{label.lower().replace('.', '/')}/{page}" for label in ADMIN_ROWS for page in ROW_PAGES}
    operations = {f"api/v1{each.split(' ')[1].replace('{', '<').replace('}', '>')}" for each in API}
    known = {*PAGES, *OUTSIDE, *ADMIN_PAGES, *rows, *operations}
    assert sorted(set(PATTERNS) ^ known) == []


def test_the_table_knows_every_operation() -> None:
    assert sorted(API) == OPERATIONS


def test_the_table_knows_every_model_of_the_admin() -> None:
    assert sorted(ADMIN_ROWS) == [model._meta.label for model in registered_models()]


def test_every_page_with_acts_has_them_in_the_table() -> None:
    assert {act.page for act in ACTS} == {pattern for pattern, rule in PAGES.items() if rule.acts}


def test_the_table_knows_every_socket() -> None:
    assert {str(entry.pattern) for entry in websocket_urls if str(entry.pattern)} == SOCKETS


def test_every_model_has_an_organization_or_a_reason() -> None:
    without = {
        model._meta.label
        for model in apps.get_models()
        if not any(
            field.concrete and field.related_model is Organization for field in model._meta.get_fields()
        )
    }
    assert without == set(GLOBAL_MODELS)
