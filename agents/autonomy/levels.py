"""What each level lets a run do, read at the call and not before."""

from __future__ import annotations

from dataclasses import dataclass

from agents.errors import ToolFailed
from agents.models import Autonomy, AutonomyRule, Run, RunKind
from tasks.models import Authority, Goal, Level, Task, TaskState

OBSERVE = frozenset(
    {"task_list", "task_history", "goal_list", "memory_recall", "memory_save", "read_wake", "finish"}
)
SUGGEST = OBSERVE | {"task_create", "task_update", "task_comment", "goal_propose", "goal_note"}
ACT = SUGGEST | {"begin_task"}
TOOLS: dict[Level, frozenset[str]] = {
    Level.OFF: frozenset({"finish"}),
    Level.OBSERVE: OBSERVE,
    Level.SUGGEST: SUGGEST,
    Level.ACT: ACT,
}
"""A run must always be able to end, whatever has been switched off since."""


@dataclass(frozen=True)
class Standing:
    """How far an agent may go now; a pause leaves the level as it is."""

    level: Level
    is_paused: bool


def lower(first: str, second: str) -> Level:
    """Return the narrower of two levels."""
    return min(Level(first), Level(second), key=lambda level: level.rank)


def standing_of(agent_id: int) -> Standing:
    """Return what holds for an agent now, under its organization's ceiling; two queries."""
    row = Autonomy.objects.filter(agent_id=agent_id).only("organization_id", "level", "paused_at").first()
    if row is None:
        return Standing(Level.OFF, is_paused=False)
    rule = AutonomyRule.objects.filter(pk=row.organization_id).only("ceiling", "paused_at").first()
    level = lower(row.level, rule.ceiling if rule else Level.ACT)
    return Standing(level, row.paused_at is not None or (rule is not None and rule.paused_at is not None))


def tools_of(run: Run) -> frozenset[str]:
    """Return what an autonomous run may hold now. What came from outside is not kept as knowledge."""
    held = TOOLS[standing_of(run.agent_id).level]
    return held - {"memory_save"} if run.input.get("from_outside") else held


def check_level(run: Run, tool: str) -> None:
    """Raise ToolFailed when an autonomous run may not, or no longer, use a tool."""
    if run.kind == RunKind.AUTONOMY and tool not in tools_of(run):
        raise ToolFailed("this is beyond what you may do by yourself")


def check_goal(task: Task, needed: Authority) -> None:
    """Raise ToolFailed where people have not let agents go so far for the goal that a task serves."""
    if task.goal_id is None:
        return
    goal = Goal.objects.get(pk=task.goal_id)
    order = list(Authority)
    if order.index(Authority(goal.authority)) < order.index(needed):
        raise ToolFailed(
            f"for goal {goal.pk} you may {Authority(goal.authority).value} and no more; people decide to go further"
        )


def check_change(run: Run, task: Task) -> None:
    """Raise ToolFailed where a run may not change a task: below `act` it touches only what waits for approval."""
    if run.kind != RunKind.AUTONOMY:
        return
    if task.state != TaskState.PENDING_APPROVAL and standing_of(run.agent_id).level != Level.ACT:
        raise ToolFailed("at your level you change only what waits for approval; comment on it instead")
    check_goal(task, Authority.PREPARE)
