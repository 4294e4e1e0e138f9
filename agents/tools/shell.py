"""Commands of a worker: run in its workspace, behind the walls that hold for its agent now.

Allowed by default: what a command can reach is bounded by its walls, and without walls it is refused unless an owner chose
that. Not repeatable: nobody knows what a command does twice.
"""

from __future__ import annotations

import re

from pydantic import Field

from accounts.database import release_connection
from agents.errors import ToolUnavailable
from agents.sandbox.command import Finished, Limits
from agents.sandbox.errors import CannotStart
from agents.sandbox.launcher import run
from agents.tools.base import Arguments, Tool, ToolContext, ToolOutput
from agents.tools.shell_live import LiveOutput
from agents.tools.shell_walls import shell_command, walls_around, way_out

WORKER = frozenset({"worker"})
DEFAULT_S, MOST_S = 60, 1_800
SILENCE_S = 5.0
WAITS = "input"
KEPT_BYTES = 44_000
PROMPT = re.compile(
    rb"(\[y/n\]|\(y/n\)|\(yes/no[^)]*\)|\[yes/no\]|password[^\n]{0,60}:|passphrase[^\n]{0,80}:|press (enter|any key|return)"
    rb"|are you sure\?|continue\?|overwrite\?|username[^\n]{0,60}:|login:|enter [^\n]{1,60}:|\(END\)|>>> |\? )[ \t]*$",
    re.IGNORECASE,
)


class Shell(Arguments):
    command: str = Field(description="A line for /bin/sh.", min_length=1, max_length=50_000)
    folder: str = Field(
        default="", description="Where to run it; your workspace without one.", max_length=1_000
    )
    environment: dict[str, str] = Field(default_factory=dict, description="Further variables.", max_length=50)
    timeout_s: int = Field(default=DEFAULT_S, ge=1, description=f"{MOST_S:,} at most; more is cut to that.")


def shell(context: ToolContext, arguments: Shell) -> ToolOutput:
    walls, sandbox = walls_around(context)
    command = shell_command(
        context, walls, arguments.command, folder=arguments.folder, environment=arguments.environment,
        limits=Limits(kept_bytes=KEPT_BYTES),
    )  # fmt: skip
    timeout_s = min(arguments.timeout_s, MOST_S)
    with (
        way_out(context, walls, sandbox, command) as command,
        LiveOutput(context.run, context.key, context.process.shield) as live,
    ):
        release_connection()
        try:
            done = run(
                command, sandbox, timeout_s=timeout_s, cancel=context.cancel, merge_stderr=True,
                on_output=live.add, on_glance=waits_for_input,
            )  # fmt: skip
        except CannotStart as error:
            raise ToolUnavailable(f"the command did not start: {error}") from None
    return ToolOutput(render(done, timeout_s=timeout_s, asked_s=arguments.timeout_s))


def waits_for_input(silence_s: float, last_words: bytes) -> str:
    """Say so where a command has been silent after what looks like a question."""
    return WAITS if silence_s >= SILENCE_S and PROMPT.search(last_words) else ""


def render(done: Finished, *, timeout_s: int, asked_s: int) -> str:
    """Return what the model reads: how it ended first, then what it said."""
    lines = [_ending(done, timeout_s)]
    if asked_s > timeout_s:
        lines.append(f"[timeout_s was cut to {timeout_s:,}: that is the most]")
    if done.sandbox == "none":
        lines.append("[ran without walls]")
    text = done.stdout.decode(errors="replace").replace("\0", "\ufffd")
    return "\n".join([*lines, text.rstrip() or "(it said nothing)"])


def _ending(done: Finished, timeout_s: int) -> str:
    if done.ended == "exited":
        return f"[exit code {done.exit_code} after {done.duration_s:.1f} s]"
    if done.ended == "timeout":
        return (
            f"[stopped after {timeout_s:,} s with everything it had started; what it said until then follows]"
        )
    if done.ended == "cancelled":
        return "[stopped: the run was stopped; what it said until then follows]"
    if done.limit == WAITS:
        return (
            "[stopped: it was waiting for input, which it cannot get here. Use a flag such as -y or --no-input, "
            "or feed it: printf 'y\\n' | command]"
        )
    return f"[stopped: it used more than is allowed of {done.limit}; what it said until then follows]"


TOOLS = (
    Tool(
        name="shell",
        description=(
            "Run a command in your workspace with /bin/sh and read what it says. Nothing is typed into it, and nothing it "
            "starts outlives the call; for what should run on meanwhile, use shell_start."
        ),
        arguments=Shell,
        function=shell,
        kinds=WORKER,
        transactional=False,
    ),
)
