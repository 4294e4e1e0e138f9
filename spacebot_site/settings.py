"""All settings, read from the environment. Each variable is described in docs/settings.md."""

from __future__ import annotations

import secrets
import sys
from pathlib import Path
from typing import Any

from kombu import Queue

from spacebot_site.admin_site import UNFOLD as UNFOLD
from spacebot_site.environment import read_bool, read_int, read_list, read_str
from spacebot_site.launch import embedded
from spacebot_site.service_urls import celery_broker_url, database_settings, email_settings

BASE_DIR = Path(__file__).resolve().parent.parent
SPACEBOT_HOME = Path(read_str("SPACEBOT_HOME", str(BASE_DIR / ".spacebot"))).expanduser().resolve()


def _read_secret_key() -> str:
    path = SPACEBOT_HOME / "config" / "secret_key"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(48))
    return path.read_text().strip()


SECRET_KEY = read_str("SPACEBOT_SECRET_KEY") or _read_secret_key()
SPACEBOT_MASTER_KEY_FILE = read_str("SPACEBOT_MASTER_KEY_FILE")
DEBUG = read_bool("SPACEBOT_DEBUG", False)
PUBLIC_URL = read_str("SPACEBOT_PUBLIC_URL", "http://127.0.0.1:8000").rstrip("/")
ALLOWED_HOSTS = read_list("SPACEBOT_ALLOWED_HOSTS", ["127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS = read_list("SPACEBOT_TRUSTED_ORIGINS", [PUBLIC_URL])

DATABASE_URL = read_str("DATABASE_URL") or embedded.services(SPACEBOT_HOME).database_url
REDIS_URL = read_str("REDIS_URL") or embedded.services(SPACEBOT_HOME).redis_url

INSTALLED_APPS = [
    "spacebot_site.apps.SiteConfig",
    "accounts",
    "secret_store",
    "realtime",
    "llm",
    "messaging",
    "memory",
    "tasks",
    "agents",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "django_celery_beat",
]
# Processes that serve no pages do without what only pages need: 17 MB each.
if read_bool("SPACEBOT_PAGES", True):
    INSTALLED_APPS += [
        "unfold",
        "unfold.contrib.filters",
        "django.contrib.admin",
        "django_htmx",
        "allauth",
        "allauth.account",
    ]

if "runserver" in sys.argv:
    INSTALLED_APPS.insert(0, "daphne")  # Django's own development server knows no WebSockets.

MIDDLEWARE = [
    "spacebot_site.api.entry.ApiEntry",
    "django.middleware.security.SecurityMiddleware",
    "spacebot_site.web.security.ContentSecurityPolicy",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

ROOT_URLCONF = "spacebot_site.urls"
ASGI_APPLICATION = "spacebot_site.asgi.application"
APPEND_SLASH = True

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "spacebot_site.web.frame.frame",
            ],
            "builtins": ["spacebot_site.web.tags"],
        },
    }
]

DATABASES = {
    "default": database_settings(DATABASE_URL, pool_size=read_int("SPACEBOT_DATABASE_POOL", 10, minimum=1))
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHES = {
    "default": {
        "BACKEND": "spacebot_site.cache.SharedRedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "cache",
    }
}
SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PUBLIC_URL.startswith("https://")

CSRF_FAILURE_VIEW = "spacebot_site.web.errors.stale_form"

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
ACCOUNT_ADAPTER = "spacebot_site.web.sign_in.ClosedSignUp"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"

SPACEBOT_EMAIL_URL = read_str("SPACEBOT_EMAIL_URL")
if SPACEBOT_EMAIL_URL:
    globals().update(email_settings(SPACEBOT_EMAIL_URL))

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = SPACEBOT_HOME / "static"
NODE_MODULES = BASE_DIR / "node_modules"
STATICFILES_DIRS = [
    BASE_DIR / "static",
    ("vendor/inter", NODE_MODULES / "@fontsource-variable" / "inter" / "files"),
    ("vendor/cytoscape", NODE_MODULES / "cytoscape" / "dist"),
    ("vendor/htmx", NODE_MODULES / "htmx.org" / "dist"),
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "spacebot_site.web.storage.HashedStaticFiles"},
}
WHITENOISE_USE_FINDERS = DEBUG

CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL], "prefix": "live"},
    }
}

CELERY_BROKER_URL = read_str("CELERY_BROKER_URL") or celery_broker_url(REDIS_URL)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_ENABLE_REMOTE_CONTROL = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_BEAT_SCHEDULE = {
    "index memory": {"task": "memory.index", "schedule": 15.0, "options": {"expires": 15}},
    "memory upkeep": {"task": "memory.upkeep", "schedule": 600.0, "options": {"expires": 600}},
    "ingest files": {"task": "memory.ingest", "schedule": 10.0, "options": {"expires": 10}},
    "prune events": {"task": "realtime.prune", "schedule": 6 * 3600.0},
    "mail notices": {"task": "realtime.mail_notices", "schedule": 30.0, "options": {"expires": 30}},
    "fire what is due": {"task": "tasks.tick", "schedule": 1.0, "options": {"expires": 5}},
    "follow what schedules delivered": {
        "task": "tasks.follow_deliveries",
        "schedule": 10.0,
        "options": {"expires": 10},
    },
    "account for what stands still": {
        "task": "tasks.account",
        "schedule": 600.0,
        "options": {"expires": 600},
    },
    "sweep attachments": {"task": "messaging.jobs.sweep_attachments", "schedule": 3600.0},
    "sweep runs": {"task": "agents.sweep", "schedule": 3.0, "options": {"expires": 10}},
    "keep what is quiet": {"task": "agents.keep_quiet", "schedule": 60.0, "options": {"expires": 60}},
    "sum up": {"task": "agents.sum_up", "schedule": 60.0, "options": {"expires": 60}},
    "prune homes of coding agents": {"task": "agents.prune_coding_homes", "schedule": 3600.0},
    "prune wakes": {"task": "tasks.prune_wakes", "schedule": 3600.0},
    "prune working memory": {"task": "agents.prune_working_memory", "schedule": 3600.0},
    "prune refusals": {"task": "agents.prune_refusals", "schedule": 6 * 3600.0},
    "start agents by themselves": {"task": "agents.autonomy", "schedule": 3.0, "options": {"expires": 5}},
    "look after agents": {"task": "agents.cortex", "schedule": 30.0, "options": {"expires": 30}},
    "look at MCP servers": {"task": "agents.mcp_look_at_due", "schedule": 15.0, "options": {"expires": 15}},
    "sweep deliveries": {
        "task": "messaging.jobs.sweep_deliveries",
        "schedule": 10.0,
        "options": {"expires": 10},
    },
}
CELERY_TIMEZONE = "UTC"
CELERY_TASK_DEFAULT_QUEUE = "runs"
# A nudge that is lost is made up for by a sweep, so nobody keeps account of it: that was a third of the worker's time.
CELERY_TASK_QUEUES = [Queue("runs", no_ack=True), Queue("embed", no_ack=True)]
CELERY_TASK_ROUTES = {
    "memory.ingest": {"queue": "runs"},
    "memory.ingest_file": {"queue": "runs"},  # It waits for models, as runs do.
    "memory.*": {"queue": "embed"},
}
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_timeout": 15,
    "socket_connect_timeout": 5,
    "visibility_timeout": 3_600,
}

DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
SPACEBOT_WORKER_THREADS = read_int("SPACEBOT_WORKER_THREADS", 256, minimum=2)
SPACEBOT_EVENT_DAYS = read_int("SPACEBOT_EVENT_DAYS", 30, minimum=1)
SPACEBOT_RATE_SIGNED_IN = read_int("SPACEBOT_RATE_SIGNED_IN", 6000, minimum=0)
SPACEBOT_RATE_ANONYMOUS = read_int("SPACEBOT_RATE_ANONYMOUS", 120, minimum=0)
SPACEBOT_WORKSPACE_MB = read_int("SPACEBOT_WORKSPACE_MB", 2000, minimum=1)
SPACEBOT_CONVERSATION_FILES_MB = read_int("SPACEBOT_CONVERSATION_FILES_MB", 1000, minimum=1)
SPACEBOT_EMBEDDER = read_str("SPACEBOT_EMBEDDER", "minilm")
SPACEBOT_EMBEDDER_URL = read_str("SPACEBOT_EMBEDDER_URL", "https://api.openai.com/v1/")
SPACEBOT_BRAVE_URL = read_str("SPACEBOT_BRAVE_URL", "https://api.search.brave.com")
SPACEBOT_SEARXNG_URL = read_str("SPACEBOT_SEARXNG_URL")
SPACEBOT_CHROMIUM = read_str("SPACEBOT_CHROMIUM")
SPACEBOT_OPENCODE = read_str("SPACEBOT_OPENCODE")
SPACEBOT_CLAUDE = read_str("SPACEBOT_CLAUDE")
