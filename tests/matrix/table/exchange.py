"""What people and agents hand each other in a conversation: questions with options, and files."""

from __future__ import annotations

from agents.models import Question
from tests.api.conftest import Upload
from tests.matrix.table.rules import SEEN, Act, Operation, Page, Rows, form, list_of, ours, read, taking_part

FILES = "/conversations/{conversation_id}/attachments"
ONE = f"{FILES}/{{attachment_id}}"

API: dict[str, Operation] = {
    "GET /questions": list_of("conversations:read"),
    "GET /questions/{question_id}": read("conversations:read", participants=True),
    "POST /questions/{question_id}/answer": taking_part(
        "conversations:write", 200, lambda world: {"numbers": [1]}
    ),
    f"GET {FILES}": read("conversations:read", participants=True),
    f"POST {FILES}": taking_part("conversations:write", 201, lambda world: Upload("a.txt", b"x")),
    f"GET {ONE}": read("conversations:read", participants=True),
    # It was sent: whoever takes part is told so, everyone else that there is nothing.
    f"DELETE {ONE}": taking_part("conversations:write", 409),
}
PAGES: dict[str, Page] = {
    "questions/<int:question_id>/": Page(participants=True, acts=True),
    "chat/<int:conversation_id>/files/<int:attachment_id>/": Page(participants=True),
}
ACTS: list[Act] = [
    Act(
        "questions/<int:question_id>/", "answer", form(number="1"),
        ours(Question, pk="{question_id}", state="answered"),
    ),
]  # fmt: skip
ADMIN_ROWS: dict[str, Rows] = {"agents.Question": SEEN, "messaging.Attachment": SEEN}
