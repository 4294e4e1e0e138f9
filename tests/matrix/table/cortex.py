"""The cortex: jobs, log, circuits and the chat about the system are for administrators, the profile for everyone."""

from __future__ import annotations

from agents.models import Breaker, CortexJob
from messaging.models import Conversation
from tests.matrix.table.rules import ADMIN, SEEN, Act, Operation, Page, Rows, form, ours, read

CORTEX = "/agents/{agent_id}/cortex"
PAGE = "agents/<slug:slug>/cortex/"

API: dict[str, Operation] = {
    "GET /agents/{agent_id}/profile": read("agents:read"),
    f"GET {CORTEX}/jobs": read("cortex:read", lowest=ADMIN),
    f"POST {CORTEX}/jobs/{{job_name}}/run": Operation("cortex:write", 200, ADMIN),
    f"GET {CORTEX}/log": read("cortex:read", lowest=ADMIN),
    f"GET {CORTEX}/breakers": read("cortex:read", lowest=ADMIN),
    f"POST {CORTEX}/breakers/{{breaker_id}}/close": Operation("cortex:write", 200, ADMIN),
    f"POST {CORTEX}/chat": Operation("cortex:write", 200, ADMIN),
}
PAGES: dict[str, Page] = {PAGE: Page(lowest=ADMIN, ours=True, acts=True)}
ACTS = [
    Act(PAGE, "ask", form(act="ask"), ours(Conversation, settings__cortex=True)),
    Act(
        PAGE,
        "close",
        form(act="close", breaker="{breaker_id}"),
        ours(Breaker, pk="{breaker_id}", state="closed"),
    ),
    Act(PAGE, "run", form(act="run", job="upkeep"), ours(CortexJob, agent="{agent_id}", name="upkeep")),
]
ADMIN_ROWS: dict[str, Rows] = {
    "agents.Breaker": SEEN,
    "agents.CortexJob": SEEN,
    "agents.CortexLog": SEEN,
    "agents.Profile": SEEN,
}
