"""Goals, tasks, approvals and schedules. It holds no tables yet."""
