"""Which names and values a secret may have."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from accounts.errors import InvalidInput

LONGEST_NAME = 80
LONGEST_VALUE_BYTES = 64 * 1024
NAME = re.compile(r"[A-Z][A-Z0-9_]*")

RESERVED = frozenset(
    {
        "PATH", "HOME", "SHELL", "USER", "LOGNAME", "PWD", "OLDPWD", "IFS", "ENV", "TMPDIR", "LANG", "TERM",
        "BASH_ENV", "BASHOPTS", "SHELLOPTS", "PROMPT_COMMAND", "PS4", "CDPATH", "GLOBIGNORE",
        "NODE_OPTIONS", "NODE_PATH", "NODE_EXTRA_CA_CERTS", "NPM_CONFIG_SCRIPT_SHELL",
        "PERL5LIB", "PERL5OPT", "PERL5DB", "PERLLIB", "RUBYLIB", "RUBYOPT", "PHPRC", "PHP_INI_SCAN_DIR",
        "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "CLASSPATH", "LUA_INIT", "LUA_PATH", "LUA_CPATH",
        "GCONV_PATH", "JAVA_OPTIONS", "_JAVA_OPTIONS", "ELECTRON_RUN_AS_NODE", "DOTNET_STARTUP_HOOKS", "COMSPEC", "PATHEXT",
        "EDITOR", "VISUAL", "PAGER", "BROWSER", "LOCPATH", "NLSPATH", "HOSTALIASES", "RESOLV_HOST_CONF",
        "SSL_CERT_FILE", "SSL_CERT_DIR", "OPENSSL_CONF", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE",
        "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY",
        "DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL", "DJANGO_SETTINGS_MODULE",
    }
)  # fmt: skip
RESERVED_PREFIXES = (
    "LD_", "DYLD_", "GLIBC_", "MALLOC_", "PYTHON", "PERL5", "GIT_", "BASH_FUNC_", "SPACEBOT_", "NPM_CONFIG_", "CORECLR_", "PIP_",
    "XDG_", "LC_",
)  # fmt: skip
"""Variables that would make a program load other code, talk elsewhere, or that configure Spacebot itself."""


def is_name(name: str) -> bool:
    """Say whether a secret could have this name."""
    return len(name) <= LONGEST_NAME and NAME.fullmatch(name) is not None


def check_name(name: str) -> str:
    """Return `name`, or raise InvalidInput for one that is malformed or reserved."""
    if not is_name(name):
        raise InvalidInput(
            f"A name starts with a capital letter and holds only A–Z, 0–9 and _, at most {LONGEST_NAME}.",
            field="name",
        )
    if name in RESERVED or name.startswith(RESERVED_PREFIXES):
        raise InvalidInput(f"The name {name} is reserved: it would change how programs run.", field="name")
    return name


def check_value(value: str) -> str:
    """Return the value; space around a single line is dropped, for it comes from copying."""
    if "\n" not in value.strip():
        value = value.strip()
    if not value:
        raise InvalidInput("The value must not be empty.", field="value")
    if "\x00" in value:
        raise InvalidInput("The value must not contain a NUL character.", field="value")
    try:
        size_bytes = len(value.encode())
    except UnicodeEncodeError:
        raise InvalidInput("The value is not valid text.", field="value") from None
    if size_bytes > LONGEST_VALUE_BYTES:
        raise InvalidInput("The value may have at most 64 KiB.", field="value")
    return value


def check_origin(text: str) -> str:
    """Return an origin in its one spelling, or raise InvalidInput."""
    try:
        parts = urlsplit(text.strip())
        host, port = (parts.hostname or "").encode("idna").decode().lower().rstrip("."), parts.port
    except (ValueError, UnicodeError):
        parts, host, port = urlsplit(""), "", None
    if parts.scheme not in ("https", "http") or not host or parts.username is not None or parts.query:
        raise InvalidInput("An origin looks like https://example.com.", field="origins")
    usual = {"https": 443, "http": 80}[parts.scheme]
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + (f":{port}" if port not in (None, usual) else "")
