"""The addresses of the pages."""

from __future__ import annotations

from django.urls import path

from spacebot_site.web import (
    agents,
    chat,
    chat_forms,
    home,
    members,
    model_forms,
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
    path("chat/new/", chat_forms.new, name="new_conversation"),
    path("chat/<int:conversation_id>/", chat.conversation, name="conversation"),
    path("chat/<int:conversation_id>/before/<int:seq>/", chat.older, name="older_messages"),
    path("chat/<int:conversation_id>/rename/", chat_forms.rename, name="rename_conversation"),
    path("chat/<int:conversation_id>/archive/", chat_forms.archive, name="archive_conversation"),
    path("chat/<int:conversation_id>/people/", chat_forms.people, name="people"),
    path("chat/<int:conversation_id>/model/", chat_forms.model, name="conversation_model"),
    path("chat/<int:conversation_id>/quote/<int:message_id>/", chat.quote, name="quote"),
    path("runs/", runs.index, name="runs"),
    path("runs/<int:run_id>/", runs.detail, name="run"),
    path("agents/", agents.index, name="agents"),
    path("agents/new/", agents.new, name="new_agent"),
    path("agents/<slug:slug>/", agents.detail, name="agent"),
    path("settings/models/", model_settings.index, name="models"),
    path("settings/models/providers/<int:provider_id>/", model_forms.provider, name="edit_provider"),
    path("settings/models/providers/<int:provider_id>/offered/", model_forms.offered, name="offered_models"),
    path("settings/models/<int:entry_id>/", model_forms.model, name="edit_model"),
    path("settings/models/<int:entry_id>/test/", model_settings.try_out, name="test_model"),
    path("settings/members/", members.index, name="members"),
    path("settings/tokens/", tokens.index, name="tokens"),
    path("settings/secrets/", secret_names.index, name="secrets"),
]
