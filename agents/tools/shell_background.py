"""Starting, reading and stopping commands that run on in the background of a run."""

from __future__ import annotations

from contextlib import ExitStack

from pydantic import Field

from accounts.database import release_connection
from agents.errors import ToolRetry, ToolUnavailable
from agents.sandbox.command import Limits
from agents.sandbox.errors import CannotStart
from agents.sandbox.launcher import spawn
from agents.tools import shell_jobs
from agents.tools.base import Arguments, Tool, ToolContext, ToolOutput
from agents.tools.shell_live import LiveOutput
from agents.tools.shell_walls import shell_command, walls_around, way_out

WORKER = frozenset({"worker"})


class ShellStart(Arguments):
    command: str = Field(
        description="A line for /bin/sh, such as a server to test against.", min_length=1, max_length=50_000
    )
    folder: str = Field(
        default="", description="Where to run it; your workspace without one.", max_length=1_000
    )
    environment: dict[str, str] = Field(default_factory=dict, description="Further variables.", max_length=50)


def shell_start(context: ToolContext, arguments: ShellStart) -> ToolOutput:
    run = context.run
    if len(shell_jobs.running(run.pk)) >= shell_jobs.MOST:
        raise ToolRetry(f"{shell_jobs.MOST} commands run in the background already. Stop one first.")
    walls, sandbox = walls_around(context)
    limits = Limits()
    command = shell_command(
        context,
        walls,
        arguments.command,
        folder=arguments.folder,
        environment=arguments.environment,
        limits=limits,
    )
    with ExitStack() as opening:
        command = opening.enter_context(way_out(context, walls, sandbox, command))
        release_connection()
        try:
            child = spawn(command, sandbox, merge_stderr=True)
        except CannotStart as error:
            raise ToolUnavailable(f"the command did not start: {error}") from None
        way = opening.pop_all()
    if child.stdin is not None:
        child.stdin.close()
    live = LiveOutput(context.run, context.key, context.process.shield)
    job = shell_jobs.begin(run.pk, arguments.command, child, limits.output_bytes, live, context.cancel, way)
    return ToolOutput(
        f"Started as {job.name}. Read it with shell_output; it ends with this run, or when this run has to wait."
    )


class JobName(Arguments):
    job: str = Field(description="Its name, such as job1.", max_length=20)


def shell_output(context: ToolContext, arguments: JobName) -> ToolOutput:
    job = _job(context, arguments.job)
    ended = job.child.poll()
    text = job.new().decode(errors="replace").replace("\0", "\ufffd").rstrip()
    return ToolOutput(f"[{_state(job, ended=ended)}]\n{text or '(nothing new)'}")


def shell_stop(context: ToolContext, arguments: JobName) -> ToolOutput:
    job = _job(context, arguments.job)
    job.stop()
    text = job.new().decode(errors="replace").replace("\0", "\ufffd").rstrip()
    return ToolOutput(f"Stopped, with everything it had started.\n{text}".rstrip())


def _job(context: ToolContext, name: str) -> shell_jobs.Job:
    job = shell_jobs.find(context.run.pk, name)
    if job is None:
        names = ", ".join(each.name for each in shell_jobs.running(context.run.pk)) or "none"
        raise ToolRetry(
            f"There is no {name!r}. Running: {names}. What was started before this run waited or was taken over has ended."
        )
    return job


def _state(job: shell_jobs.Job, *, ended: bool) -> str:
    if not ended:
        return "running"
    if limit := job.limit or job.child.limit:
        return f"stopped: it used more than is allowed of {limit}"
    return f"ended with exit code {job.child.exit_code}" if job.child.exit_code is not None else "stopped"


TOOLS = (
    Tool(
        name="shell_start",
        description="Start a command that runs on in the background of this run.",
        arguments=ShellStart,
        function=shell_start,
        kinds=WORKER,
        transactional=False,
        alike="shell",
    ),
    Tool(
        name="shell_output",
        description="Read what a command in the background has said since you last asked, and whether it still runs.",
        arguments=JobName,
        function=shell_output,
        kinds=WORKER,
        transactional=False,
        repeatable=True,
        polling=True,
    ),
    Tool(
        name="shell_stop",
        description="Stop a command in the background, with everything it has started.",
        arguments=JobName,
        function=shell_stop,
        kinds=WORKER,
        transactional=False,
        repeatable=True,
    ),
)
