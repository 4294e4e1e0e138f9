"""What is planned and due, in the admin."""

from __future__ import annotations

from tasks.admin import schedules as schedules
