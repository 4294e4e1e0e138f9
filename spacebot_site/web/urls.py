"""The addresses of the pages."""

from __future__ import annotations

from django.urls import path

from spacebot_site.web import (
    agents,
    chat,
    home,
    members,
    model_settings,
    organizations,
    palette,
    runs,
    secret_names,
    sign_in,
    tokens,
)

urlpatterns = [
    path("", home.root, name="root"),
    path("sign-in/link/<str:raw>/", sign_in.sign_in_link, name="sign_in_link"),
    path("home/", home.index, name="home"),
    path("palette/", palette.results, name="palette"),
    path("organization/switch/", organizations.switch, name="switch_organization"),
    path("chat/", chat.index, name="chat"),
    path("chat/list/", chat.conversation_list, name="conversation_list"),
    path("chat/new/", chat.new, name="new_conversation"),
    path("chat/<int:conversation_id>/", chat.conversation, name="conversation"),
    path("chat/<int:conversation_id>/before/<int:seq>/", chat.older, name="older_messages"),
    path("chat/<int:conversation_id>/rename/", chat.rename, name="rename_conversation"),
    path("chat/<int:conversation_id>/archive/", chat.archive, name="archive_conversation"),
    path("chat/<int:conversation_id>/invite/", chat.invite, name="invite"),
    path("runs/", runs.index, name="runs"),
    path("runs/<int:run_id>/", runs.detail, name="run"),
    path("agents/", agents.index, name="agents"),
    path("agents/new/", agents.new, name="new_agent"),
    path("agents/<slug:slug>/", agents.detail, name="agent"),
    path("settings/models/", model_settings.index, name="models"),
    path("settings/models/<int:entry_id>/test/", model_settings.try_out, name="test_model"),
    path("settings/members/", members.index, name="members"),
    path("settings/tokens/", tokens.index, name="tokens"),
    path("settings/secrets/", secret_names.index, name="secrets"),
]
