"""Every address of the site."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("accounts/", include("allauth.urls")),
    path("", include("spacebot_site.web.urls")),
]

handler400 = "spacebot_site.web.errors.bad_request"
handler403 = "spacebot_site.web.errors.denied"
handler404 = "spacebot_site.web.errors.not_found"
handler500 = "spacebot_site.web.errors.broken"
