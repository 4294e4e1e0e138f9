"""The admin, and models without an organization."""

from __future__ import annotations

from tests.matrix.table.rules import EDITED, HELD, HIDDEN, OTHERS, SEEN, Rows

# The admin. Nobody and members are led to the sign-in page; the moderator is marked as staff by mistake.

# (GET, POST) by the moderator, by owners and administrators anywhere, by a superuser
ADMIN_PAGES: dict[str, tuple[tuple[int, int], tuple[int, int], tuple[int, int]]] = {
    "admin/": ((200, 200), (200, 200), (200, 200)),
    "admin/search/": ((200, 200), (200, 200), (200, 200)),
    "admin/login/": ((302, 200), (302, 200), (302, 200)),
    "admin/logout/": ((405, 200), (405, 200), (405, 200)),
    "admin/password_change/": ((200, 200), (200, 200), (200, 200)),
    "admin/password_change/done/": ((200, 405), (200, 405), (200, 405)),
    "admin/autocomplete/": ((403, 405), (403, 405), (403, 405)),
    "admin/jsi18n/": ((200, 405), (200, 405), (200, 405)),
    "admin/r/<path:content_type_id>/<path:object_id>/": ((404, 404), (404, 404), (404, 404)),
    "admin/<app_label>/": ((404, 404), (200, 200), (200, 200)),
    "admin/accounts/user/<id>/password/": ((403, 403), (403, 403), (200, 200)),
    "admin/<url>": ((404, 404), (404, 404), (404, 404)),
}


ADMIN_ROWS: dict[str, Rows] = {
    "account.EmailAddress": OTHERS,
    "accounts.ApiToken": SEEN,
    "accounts.AuditEvent": SEEN,
    "accounts.Identity": EDITED,
    "accounts.Membership": EDITED,
    "accounts.Organization": Rows(change=True),
    "accounts.Person": HELD,
    "accounts.SignInLink": HIDDEN,
    "accounts.User": Rows(add=True, change=True, fixed=True),
    "agents.Agent": HELD,
    "agents.Checkpoint": SEEN,
    "agents.Keeping": SEEN,
    "agents.Prompt": SEEN,
    "agents.Report": SEEN,
    "agents.Run": SEEN,
    "agents.RunInput": SEEN,
    "agents.Step": SEEN,
    "agents.ToolCall": SEEN,
    "django_celery_beat.ClockedSchedule": OTHERS,
    "django_celery_beat.CrontabSchedule": OTHERS,
    "django_celery_beat.IntervalSchedule": OTHERS,
    "django_celery_beat.PeriodicTask": OTHERS,
    "django_celery_beat.SolarSchedule": OTHERS,
    "llm.LedgerEntry": SEEN,
    "llm.ModelEntry": EDITED,
    "llm.Provider": EDITED,
    "llm.Route": EDITED,
    "memory.Association": SEEN,
    "memory.Consolidation": SEEN,
    "memory.InboxItem": SEEN,
    "memory.IngestedFile": SEEN,
    "memory.Memory": SEEN,
    "memory.MemoryEdit": SEEN,
    "messaging.Binding": EDITED,
    "messaging.Conversation": SEEN,
    "messaging.Delivery": SEEN,
    "messaging.Message": SEEN,
    "messaging.Participant": SEEN,
    "messaging.PlatformAccount": Rows(add=True, change=True),
    "messaging.Reaction": SEEN,
    "realtime.Event": SEEN,
    "realtime.EventCounter": HIDDEN,
    "secrets.DataKey": HIDDEN,
    "secrets.Secret": EDITED,
}


# Models without an organization of their own, and why

GLOBAL_MODELS = {
    "accounts.User": "a login may belong to several organizations; reached through memberships",
    "accounts.Organization": "the tenant itself",
    "accounts.SignInLink": "belongs to a user; only its digest is stored",
    "secrets.Vault": "the lock of the whole installation; one row",
    "secrets.DataKey": "wraps secrets of the whole installation; useless without the master key",
    "memory.CommonTerm": "words of a shelf, which has one; read by statements that begin with the shelf",
    "admin.LogEntry": "Django's own; shown to superusers",
    "auth.Permission": "Django's own catalogue",
    "auth.Group": "Django's own; unused",
    "contenttypes.ContentType": "Django's own catalogue",
    "sessions.Session": "belongs to a browser",
    "django_celery_beat.SolarSchedule": "the installation's schedule",
    "django_celery_beat.IntervalSchedule": "the installation's schedule",
    "django_celery_beat.ClockedSchedule": "the installation's schedule",
    "django_celery_beat.CrontabSchedule": "the installation's schedule",
    "django_celery_beat.PeriodicTasks": "the installation's schedule",
    "django_celery_beat.PeriodicTask": "the installation's schedule",
    "account.EmailAddress": "belongs to a user",
    "account.EmailConfirmation": "belongs to a user",
}
