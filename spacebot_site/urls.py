"""Every address of the site."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from spacebot_site.healthz import healthz
from spacebot_site.hooks import hook
from spacebot_site.web.sign_in import closed, sign_in_link

urlpatterns = [
    path("api/", include("spacebot_site.api.urls")),
    path("admin/", admin.site.urls),
    path("accounts/email/", closed),
    path("accounts/", include("allauth.urls")),
    path("sign-in/<str:raw>/", sign_in_link, name="sign_in_link"),
    path("healthz", healthz),
    path("hooks/<str:token>/", hook, name="hook"),
    path("", include("spacebot_site.web.urls")),
]

handler400 = "spacebot_site.web.errors.bad_request"
handler403 = "spacebot_site.web.errors.denied"
handler404 = "spacebot_site.web.errors.not_found"
handler500 = "spacebot_site.web.errors.broken"
