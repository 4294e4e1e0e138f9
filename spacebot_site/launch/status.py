"""What runs in a home, for people and for programs."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from spacebot_site.launch import embedded
from spacebot_site.launch.os_processes import is_alive, memory_kb
from spacebot_site.launch.state import Child, find_running, find_state


def collect_status(home: Path) -> dict[str, Any]:
    """Return the state of the set, its processes and servers, with the reason of each last death."""
    state = find_running(home)
    known = state or find_state(home)
    processes = [_describe(child) for child in known.children.values()] if known else []
    if state:
        processes.insert(
            0, {"name": "supervisor", "state": "healthy", "pid": state.pid, "memory_kb": memory_kb(state.pid)}
        )
    for name, identity in embedded.identities(home).items():
        if identity:
            processes.append(
                {
                    "name": name,
                    "state": "healthy",
                    "pid": identity.pid,
                    "memory_kb": _family_memory(identity.pid),
                }
            )
    return {
        "running": state is not None,
        "healthy": bool(state and state.is_healthy),
        "address": state.address if state else "",
        "home": str(home),
        "processes": processes,
        "memory_mb": round(sum(process.get("memory_kb") or 0 for process in processes) / 1024, 1),
    }


def show_status(home: Path, *, as_json: bool) -> int:
    """Print the status; 0 when all is healthy, 1 when something is not, 3 when nothing runs."""
    found = collect_status(home)
    print(json.dumps(found) if as_json else _for_people(found))
    return 0 if found["healthy"] else 1 if found["running"] else 3


def _describe(child: Child) -> dict[str, Any]:
    runs = child.identity is not None and is_alive(child.identity)
    return {
        "name": child.name,
        "state": child.state if runs or child.state == "waiting" else "dead",
        "pid": child.pid if runs else None,
        "up_s": round(time.time() - child.since) if runs else 0,
        "restarts": child.restarts,
        "reason": child.reason,
        "last_lines": child.last_lines,
        "memory_kb": memory_kb(child.pid) if runs and child.pid else None,
    }


def _family_memory(pid: int) -> int | None:
    """Return the memory of a server and its own children together."""
    own = memory_kb(pid)
    if own is None:
        return None
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        children = []
    return own + sum(memory_kb(int(child)) or 0 for child in children)


def _for_people(found: dict[str, Any]) -> str:
    if not found["running"] and not found["processes"]:
        return "Spacebot is not running. Start it with ./spacebot"
    head = (
        f"Spacebot runs at {found['address']}" if found["running"] else "Spacebot's supervisor is not running"
    )
    lines = [f"{head} ({found['memory_mb']:.0f} MB)"]
    for process in found["processes"]:
        memory = f"{process['memory_kb'] / 1024:.0f} MB" if process.get("memory_kb") else ""
        lines.append(f"  {process['name']:<11} {process['state']:<10} {process['pid'] or '':<8} {memory:>7}")
        if process.get("reason"):
            lines.append(f"              restarted {process['restarts']} times; last: {process['reason']}")
            lines += [f"              | {line}" for line in process["last_lines"][-3:]]
    return "\n".join(lines)
