"""How the admin looks and what its side bar offers. Read by settings, so it imports nothing of ours."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy


def _superuser(request: HttpRequest) -> bool:
    return bool(getattr(request.user, "is_superuser", False))


def _link(title: str, icon: str, page: str, *, superusers: bool = False) -> dict[str, Any]:
    link: dict[str, Any] = {"title": title, "icon": icon, "link": reverse_lazy(f"admin:{page}_changelist")}
    return {**link, "permission": _superuser} if superusers else link


def _group(title: str, *links: dict[str, Any], superusers: bool = False) -> dict[str, Any]:
    group: dict[str, Any] = {"title": title, "separator": True, "collapsible": True, "items": list(links)}
    return {**group, "permission": _superuser} if superusers else group


# The accent of the pages (`static/css/tokens.css`), light to dark.
ACCENT = {
    "50": "#f3f4fe", "100": "#eceefd", "200": "#d9dcfb", "300": "#c5caf6", "400": "#a0aaff", "500": "#6f7af0",
    "600": "#4450d0", "700": "#3640b4", "800": "#2c3490", "900": "#20264a", "950": "#12152f",
}  # fmt: skip

UNFOLD: dict[str, Any] = {
    "COLORS": {"primary": ACCENT},
    "SITE_TITLE": "Spacebot",
    "SITE_HEADER": "Spacebot",
    "SITE_SUBHEADER": "Administration",
    "SITE_SYMBOL": "smart_toy",
    "SITE_URL": "/",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("img/icon.svg")}
    ],
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "SIDEBAR": {
        "show_search": True,
        "show_all_applications": False,
        "navigation": [
            _group(
                "Agents",
                _link("Agents", "smart_toy", "agents_agent"),
                _link("Runs", "play_circle", "agents_run"),
                _link("Steps", "footprint", "agents_step"),
                _link("Tool calls", "build", "agents_toolcall"),
                _link("Tool policies", "policy", "agents_toolpolicy"),
                _link("Reports", "summarize", "agents_report"),
                _link("Follow-ups", "input", "agents_runinput"),
                _link("Prompts", "article", "agents_prompt"),
            ),
            _group(
                "Autonomy",
                _link("Levels and limits", "speed", "agents_autonomy"),
                _link("Ceilings", "vertical_align_top", "agents_autonomyrule"),
                _link("Stops", "dangerous", "agents_halt"),
                _link("Wakes", "notifications", "tasks_wake"),
                _link("Queue", "inbox", "tasks_wakeevent"),
                _link("Payloads", "data_object", "tasks_wakepayload"),
            ),
            _group(
                "Approvals",
                _link("Approvals", "verified_user", "tasks_approval"),
                _link("Verdicts", "how_to_vote", "tasks_decision"),
                _link("Grants", "vpn_key", "tasks_grant"),
                _link("Rules", "rule", "tasks_approvalrule"),
            ),
            _group(
                "Memory",
                _link("Memories", "neurology", "memory_memory"),
                _link("Associations", "share", "memory_association"),
                _link("Edits", "edit_note", "memory_memoryedit"),
                _link("To decide", "inbox", "memory_inboxitem"),
                _link("Merges", "merge", "memory_consolidation"),
            ),
            _group(
                "Models",
                _link("Providers", "cloud", "llm_provider"),
                _link("Models", "memory", "llm_modelentry"),
                _link("Routes", "alt_route", "llm_route"),
                _link("Ledger", "receipt_long", "llm_ledgerentry"),
                _link("Secrets", "key", "secrets_secret"),
            ),
            _group(
                "Conversations",
                _link("Platforms", "hub", "messaging_platformaccount"),
                _link("Bindings", "link", "messaging_binding"),
                _link("Conversations", "forum", "messaging_conversation"),
                _link("Participants", "groups", "messaging_participant"),
                _link("Messages", "chat", "messaging_message"),
                _link("Reactions", "add_reaction", "messaging_reaction"),
                _link("Deliveries", "outbox", "messaging_delivery"),
                _link("Events", "bolt", "realtime_event"),
            ),
            _group(
                "Organization",
                _link("Organizations", "apartment", "accounts_organization"),
                _link("Members", "badge", "accounts_membership"),
                _link("Users", "person", "accounts_user"),
                _link("People", "diversity_3", "accounts_person"),
                _link("Identities", "alternate_email", "accounts_identity"),
                _link("API tokens", "vpn_key", "accounts_apitoken"),
                _link("Audit trail", "policy", "accounts_auditevent"),
            ),
            _group(
                "System",
                _link("Sign-in links", "login", "accounts_signinlink", superusers=True),
                _link("Data keys", "encrypted", "secrets_datakey", superusers=True),
                _link("Event counters", "tag", "realtime_eventcounter", superusers=True),
                _link("E-mail addresses", "mail", "account_emailaddress", superusers=True),
                _link("Periodic jobs", "schedule", "django_celery_beat_periodictask", superusers=True),
                _link("Intervals", "timer", "django_celery_beat_intervalschedule", superusers=True),
                _link("Crontabs", "event_repeat", "django_celery_beat_crontabschedule", superusers=True),
                superusers=True,
            ),
        ],
    },
}
