"""Every way in which what is remembered becomes text.

A new way is one function and one line: a function `(world, case) -> text` that reads as the code does, and its entry in the
table of its module with who listens to it: `hear_people` for what is told to any set of people, perhaps in a room; `hear_room`
for what a model is given or says in a room; `hear_user` for what one signed-in user is shown. `is_memory` says that the text
comes from memory, where what was said in a conversation whose memory is off must never appear; without it, the conversation's
own history may. `retired` says that it may show what was forgotten or replaced; `log`, what was replaced. The matrix then asks
the new path about everyone, and fails if it shows a mark that not all who listen may hear, or if it never shows any at all.
"""

from __future__ import annotations

from tests.leaks.cases import Path
from tests.leaks.lately_paths import LATELY
from tests.leaks.people_paths import TOLD
from tests.leaks.room_paths import GIVEN
from tests.leaks.user_paths import SHOWN
from tests.leaks.work_paths import WORK

PATHS: dict[str, Path] = TOLD | GIVEN | SHOWN | LATELY | WORK
