"""Every address of the site."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from spacebot_site.healthz import healthz

urlpatterns = [
    path("healthz", healthz),
    path("admin/", admin.site.urls),
    path("accounts/", include("allauth.urls")),
]
