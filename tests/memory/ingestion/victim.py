"""A process that tests kill: `python -m tests.memory.ingestion.victim REQUESTS` takes and works as the jobs do.

Its model notes every line of a piece and writes a line into the file REQUESTS each time it is asked.
"""

from __future__ import annotations

import sys
from pathlib import Path

import django


def main() -> None:
    django.setup()
    from llm.clients import scripted
    from llm.types import ChatRequest
    from memory.ingestion import claims, folders, work
    from tests.memory.ingestion.conftest import MODEL, lines_of, note_every_line

    def note(request: ChatRequest) -> scripted.Scripted:
        with Path(sys.argv[1]).open("a") as file:
            file.write(f"{lines_of(request)[0]}\n")
        return note_every_line(request)

    scripted.install(MODEL, note)
    folders.STABLE_S = 0.0
    folders.take_dropped()
    for file_id in claims.list_due():
        work.work_on(file_id)


if __name__ == "__main__":
    main()
