"""Goals, tasks, approvals and schedules."""
