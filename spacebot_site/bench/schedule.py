"""`bench schedule`: many jobs due in the same second, a model that answers at once; how late each is, and whether all ran once.

The schedules are made over the API, as intervals that begin at one instant some seconds ahead, spread over conversations. A
job's lag is from that instant to its message in the client. The ledger is asked afterwards for every schedule.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from spacebot_site.bench.client import Api, events
from spacebot_site.bench.home import BenchHome
from spacebot_site.bench.load import MARK, Load, find_agent
from spacebot_site.bench.model import ModelServer
from spacebot_site.bench.report import Aim, Value, percentile

AIMS = {"lag_p95_ms": Aim(5_000), "lost": Aim(0), "doubled": Aim(0)}
JOBS, QUICK_JOBS = 1_000, 200
CONVERSATIONS = 100
AT_ONCE = 8
AHEAD_S = 3
WITHIN_S = 90.0


@dataclass
class Heard:
    """When each mark was told to the client, and how often. `due` is seconds since the epoch."""

    due: float
    at: dict[str, float] = field(default_factory=dict)
    times: Counter[str] = field(default_factory=Counter)

    def hear(self, event: dict[str, Any]) -> None:
        if event["kind"] != "message.created":
            return
        for mark in set(MARK.findall(event["payload"]["message"]["text"])):
            self.at.setdefault(mark, time.time())
            self.times[mark] += 1


def measure(*, quick: bool) -> dict[str, Value]:
    jobs = QUICK_JOBS if quick else JOBS
    with ModelServer() as model, BenchHome(model_url=model.url) as home:
        home.start()
        return asyncio.run(_measure(Api(home.port, home.token), jobs))


async def _measure(api: Api, jobs: int) -> dict[str, Value]:
    load = Load(api, await find_agent(api))
    places = await load.start_conversations(min(CONVERSATIONS, jobs))
    # The instant lies behind the making, which takes as long as it takes; then all are moved to it.
    first = datetime.now(UTC).timestamp() + 600
    marks = {f"m-{places[at % len(places)]}-{at}": places[at % len(places)] for at in range(jobs)}
    made = await _in_turns([_make(api, place, mark, first) for mark, place in marks.items()])
    due = float(int(time.time()) + AHEAD_S + jobs // 40)
    heard = Heard(due)
    async with events(api, heard.hear):
        await _in_turns([_move(api, pk, due) for pk in made])
        late = time.time() > due
        while len(heard.at) < jobs and time.time() < due + WITHIN_S:
            await asyncio.sleep(0.2)
        await asyncio.sleep(2)
    lines = await _in_turns([api.get(f"/schedules/{pk}/firings") for pk in made])
    api.close()
    if late:
        raise RuntimeError("the machine was too slow to move all schedules before they were due")
    return _figures(heard, marks, [page["items"] for page in lines])


async def _make(api: Api, place: int, mark: str, first: float) -> int:
    body = {"conversation_id": place, "prompt": f"say {mark}", "when": _when(first)}
    found: int = (await api.post("/schedules", body))["id"]
    return found


async def _move(api: Api, pk: int, due: float) -> None:
    await api.request("PATCH", f"/schedules/{pk}", {"when": _when(due)})


def _when(first: float) -> dict[str, Any]:
    return {"interval_s": 86_400, "anchor_at": datetime.fromtimestamp(first, UTC).isoformat()}


async def _in_turns(asked: list[Any]) -> list[Any]:
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(coroutine: Any) -> Any:
        async with gate:
            return await coroutine

    return list(await asyncio.gather(*(one(each) for each in asked)))


def _figures(heard: Heard, marks: dict[str, int], lines: list[list[dict[str, Any]]]) -> dict[str, Value]:
    fired = [line for found in lines for line in found[:1]]
    lags = [1000 * (at - heard.due) for at in heard.at.values()]
    return {
        "lag_p50_ms": _at(lags, 0.5),
        "lag_p95_ms": _at(lags, 0.95),
        "fired_p95_ms": _at(_since(heard, fired, "decided_at"), 0.95),
        "started_p95_ms": _at(_since(heard, fired, "started_at"), 0.95),
        "jobs_per_s": round(len(lags) / (max(lags) / 1000), 1) if lags else None,
        "lost": sum(not found for found in lines) + sum(mark not in heard.at for mark in marks),
        "doubled": sum(len(found) > 1 for found in lines) + sum(count > 1 for count in heard.times.values()),
    }


def _since(heard: Heard, fired: list[dict[str, Any]], name: str) -> list[float]:
    moments = [datetime.fromisoformat(line[name]) for line in fired if line[name]]
    return [1000 * (moment.timestamp() - heard.due) for moment in moments]


def _at(values: list[float], share: float) -> Value:
    return round(percentile(values, share), 1) if values else None
