"""The addresses under /api/."""

from __future__ import annotations

from django.urls import path

from spacebot_site.api import docs
from spacebot_site.api.v1 import api

urlpatterns = [
    path("v1/openapi.json", docs.openapi, name="openapi"),
    path("v1/docs", docs.docs, name="api-docs"),
    path("v1/", api.urls),
]
