"""The environment of a child: built from nothing, and never one that changes what programs load."""

from __future__ import annotations

import re
from collections.abc import Mapping

from agents.sandbox.command import Proxy
from agents.sandbox.errors import BadVariable

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
BASE = {
    "PATH": PATH, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "TERM": "dumb", "CI": "true", "TMPDIR": "/tmp",  # noqa: S108
    "DEBIAN_FRONTEND": "noninteractive", "GIT_TERMINAL_PROMPT": "0", "PAGER": "cat", "NO_COLOR": "1",
}  # fmt: skip
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
LOADER_NAMES = frozenset(
    {
        "BASH_ENV", "ENV", "PROMPT_COMMAND", "SHELLOPTS", "BASHOPTS", "PS4", "IFS", "CDPATH", "GLIBC_TUNABLES", "GCONV_PATH",
        "LOCPATH", "NLSPATH", "HOSTALIASES", "RESOLV_HOST_CONF", "MALLOC_TRACE", "NODE_OPTIONS", "NODE_PATH",
        "NODE_REPL_EXTERNAL_MODULE", "NODE_EXTRA_CA_CERTS", "RUBYOPT", "RUBYLIB", "PERL5OPT", "PERL5LIB", "PERL5DB",
        "PERLLIB", "JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS", "CLASSPATH", "DOTNET_STARTUP_HOOKS",
        "GIT_SSH", "GIT_SSH_COMMAND", "GIT_ASKPASS", "GIT_EXEC_PATH", "GIT_TEMPLATE_DIR", "GIT_PAGER", "GIT_EDITOR",
        "GIT_PROXY_COMMAND", "GIT_EXTERNAL_DIFF", "SSH_ASKPASS", "LESSOPEN", "LESSCLOSE", "MANPAGER", "EDITOR", "VISUAL",
        "BROWSER", "PHPRC", "PHP_INI_SCAN_DIR", "LUA_INIT", "LUA_PATH", "LUA_CPATH", "TCLLIBPATH", "R_PROFILE", "R_ENVIRON",
        "OPENSSL_CONF", "OPENSSL_ENGINES", "OPENSSL_MODULES", "CURL_HOME", "WGETRC", "NPM_CONFIG_SCRIPT_SHELL",
        "NPM_CONFIG_NODE_OPTIONS", "NPM_CONFIG_USERCONFIG", "NPM_CONFIG_GLOBALCONFIG", "MAKEFLAGS",
        "RUSTC_WRAPPER", "GOFLAGS", "ZDOTDIR", "FPATH", "INPUTRC", "TERMINFO", "TERMCAP",
    }
)  # fmt: skip
LOADER_PREFIXES = (
    "LD_",
    "DYLD_",
    "PYTHON",
    "BASH_FUNC_",
    "GIT_CONFIG",
    "LUA_INIT_",
    "COREPACK_",
    "SPACEBOT_",
)
HARMLESS = frozenset(
    {"PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE", "PYTHONHASHSEED", "PYTHONIOENCODING", "PYTHONUTF8"}
)
INSIDE_PROXY = ("127.0.0.1", 3128)


def is_loader(name: str) -> bool:
    """Say whether a variable changes which code a program loads or runs."""
    upper = name.upper()
    return upper in LOADER_NAMES or (upper.startswith(LOADER_PREFIXES) and name not in HARMLESS)


def check_variables(variables: Mapping[str, str]) -> None:
    """Raise BadVariable unless every name is one, harmless, and every value can be handed over."""
    for name, value in variables.items():
        if not NAME.fullmatch(name):
            raise BadVariable(f"{name[:60]!r} is not the name of a variable")
        if is_loader(name):
            raise BadVariable(f"{name} changes what programs load, and is not handed on")
        if "\0" in value or len(value) > 100_000:
            raise BadVariable(f"the value of {name} holds a NUL or is too long")


def build(
    home: str, environment: Mapping[str, str], secrets: Mapping[str, str], proxy: Proxy | None
) -> dict[str, str]:
    """Return the whole environment of a child; proxies stand last, so that nothing leads around them."""
    return {**BASE, "HOME": home, "PWD": home, **environment, **secrets, **_proxied(proxy)}


def _proxied(proxy: Proxy | None) -> dict[str, str]:
    if proxy is None:
        return {}
    host, port = INSIDE_PROXY
    address = f"http://{proxy.credentials + '@' if proxy.credentials else ''}{host}:{port}"
    found = {}
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        found[name] = found[name.lower()] = address
    return found
