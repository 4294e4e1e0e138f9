"""What approvals quote is erased with the conversations; that they were decided stays."""

from __future__ import annotations

from messaging.services.conversations import start_conversation
from tasks.models import Approval
from tasks.services.approvals.asking import Asker, ask
from tasks.services.approvals.deciding import decide
from tasks.services.approvals.erasure import erase_approvals_of
from tests.factories import Team


def test_closed_approvals_lose_their_words_and_open_ones_stay(team: Team, rivals: Team) -> None:
    rooms = [start_conversation(each.member, agent_id=each.agent.pk, kind="dm") for each in (team, rivals)]
    for each, room in zip((team, rivals), rooms, strict=True):
        for key in ("closed", "open"):
            asker = Asker(each.organization.pk, conversation_id=room.pk)
            asked = ask(
                asker, kind="x", origin_key=key, title="whispered", why="whispered", action={"a": "whispered"}
            )
            if key == "closed":
                decide(each.moderator, asked.pk, "reject", comment="whispered")
    assert erase_approvals_of(team.organization.pk, [room.pk for room in rooms], []) == 1
    erased = Approval.objects.get(organization=team.organization, origin_key="closed")
    assert "whispered" not in str(
        [*Approval.objects.filter(pk=erased.pk).values(), *erased.decisions.values()]
    )
    assert erased.state == "rejected"
    assert Approval.objects.filter(title="whispered").count() == 3
