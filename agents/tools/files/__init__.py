"""Files of the workspace: read, search, list, write, edit, move, delete.

Everything goes through the handles of `agents/tools/workspace.py`: `walk` for what looks at many files, `storing` for what
replaces one. A module that opens a path by its name alone is a hole.
"""

from __future__ import annotations

from agents.tools.files.changing import TOOLS as CHANGING
from agents.tools.files.listing import TOOLS as LISTING
from agents.tools.files.moving import TOOLS as MOVING
from agents.tools.files.reading import TOOLS as READING
from agents.tools.files.searching import TOOLS as SEARCHING

TOOLS = (*READING, *CHANGING, *LISTING, *SEARCHING, *MOVING)
