"""Names that every model provider takes, unique in an organization and stable.

A tool is called `server__tool`: no tool of ours has two underscores, so none can be taken for one. What had to be
changed or cut gets a mark made from its own name where it would meet another, whatever order a server lists its tools in.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection

LONGEST = 64
MARK = 8
JOINT = "__"
SERVER_NAME = re.compile(r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*")


def safe(name: str) -> str:
    """Return the name in lower case, with nothing but letters, digits, - and single underscores."""
    plain = re.sub(r"[^a-z0-9_-]", "_", name.lower())
    return re.sub(r"_{2,}", "_", plain).strip("_-") or "tool"


def local_names(
    server: str, remote: Collection[str], *, kept: dict[str, str], taken: Collection[str]
) -> dict[str, str]:
    """Return a local name for each remote one. `kept` are names given before, `taken` those of other servers' tools."""
    named = {each: kept[each] for each in remote if each in kept}
    used = {*taken, *kept.values()}
    # A name that is safe as it is comes first, so that it is the other that is marked.
    for each in sorted(set(remote) - named.keys(), key=lambda each: (safe(each) != each, each)):
        name = f"{server}{JOINT}{safe(each)}"
        if len(name) > LONGEST or name in used:
            name = _marked(server, each, used)
        named[each] = name
        used.add(name)
    return named


def _marked(server: str, remote: str, used: Collection[str]) -> str:
    digest = hashlib.sha256(remote.encode(errors="surrogatepass")).hexdigest()
    for start in range(len(digest) - MARK):
        mark = digest[start : start + MARK]
        room = LONGEST - len(server) - len(JOINT) - MARK - 1
        name = f"{server}{JOINT}{safe(remote)[:room].rstrip('_-')}_{mark}"
        if name not in used:
            return name
    raise ValueError(f"no name is left for {remote[:60]!r}")
