"""The cortex jobs by name. A literal table: searchable, no import magic."""

from __future__ import annotations

from datetime import timedelta

from agents.cortex import associations, profile, supervision, upkeep
from agents.cortex.jobs import Job

JOBS = {
    job.name: job
    for job in (
        Job(
            name="supervision",
            label="Supervision",
            does="Ends runs past their time and notices what nobody takes up.",
            every=timedelta(minutes=1),
            lease=timedelta(minutes=2),
            run=supervision.supervise,
        ),
        Job(
            name="associations",
            label="Associations",
            does="Ties memories that are alike, and asks people about duplicates.",
            every=timedelta(minutes=5),
            lease=timedelta(minutes=5),
            run=associations.associate,
        ),
        Job(
            name="profile",
            label="Profile",
            does="Writes how the agent introduces itself, when its texts change.",
            every=timedelta(minutes=10),
            lease=timedelta(minutes=5),
            run=profile.write_profile,
        ),
        Job(
            name="upkeep",
            label="Upkeep",
            does="Drops old lines of this log and takes stock of what is known.",
            every=timedelta(hours=6),
            lease=timedelta(minutes=5),
            run=upkeep.keep_up,
        ),
    )
}
