"""The inbox, one approval, grants and the tools' policies as people see them."""

from __future__ import annotations

from accounts.models import AuditEvent
from agents.models import ToolPolicy
from tasks.models import Approval
from tasks.services.approvals.asking import Asker, ask
from tests.factories import Team
from tests.tasks.counting import Counted, ask_for, counted  # noqa: F401  a fixture
from tests.web.conftest import SignIn
from tests.web.test_pages import private_chat


def test_the_inbox_shows_what_waits_and_takes_one_verdict_for_several(
    team: Team,
    sign_in: SignIn,
    counted: Counted,  # noqa: F811
) -> None:
    ids = [ask_for(team, origin_key=str(number), title=f"Count {number}").pk for number in range(2)]
    client = sign_in(team.moderator)
    page = client.get("/approvals/").content.decode()
    assert "Count 0" in page
    assert "Count 1" in page
    client.post("/approvals/", {"act": "approve", "approval": ids})
    assert counted.done == ids
    assert "Nothing waits for you" in client.get("/approvals/").content.decode()
    assert "Approved and run" in client.get("/approvals/?show=closed").content.decode()


def test_a_decision_leads_back_to_the_list_without_what_was_open_beside_it(
    team: Team,
    sign_in: SignIn,
    counted: Counted,  # noqa: F811
) -> None:
    for number in range(2):
        ask_for(team, origin_key=str(number), title=f"Count {number}")
    page = (
        sign_in(team.moderator)
        .get("/approvals/?show=open&kind=counted&drawer=/approvals/7/")
        .content.decode()
    )
    assert 'name="next" value="/approvals/?show=open&amp;kind=counted"' in page
    assert "drawer=" not in page


def test_looking_decides_nothing_and_a_double_click_decides_once(
    team: Team,
    sign_in: SignIn,
    counted: Counted,  # noqa: F811
) -> None:
    asked = ask_for(team)
    client = sign_in(team.moderator)
    assert client.get(f"/approvals/{asked.pk}/?act=approve").status_code == 200
    assert counted.done == []
    for _ in range(2):
        assert client.post(f"/approvals/{asked.pk}/", {"act": "approve"}).status_code == 302
    assert counted.done == [asked.pk]


def test_a_form_goes_back_only_to_pages_of_ours(
    team: Team,
    sign_in: SignIn,
    counted: Counted,  # noqa: F811
) -> None:
    asked = ask_for(team)
    client = sign_in(team.moderator)
    for wanted, expected in (("/home/", "/home/"), ("https://evil.test/", f"/approvals/{asked.pk}/")):
        answer = client.post(f"/approvals/{asked.pk}/", {"act": "approve", "next": wanted})
        assert answer["Location"] == expected


def test_an_action_that_deceives_the_eye_is_marked_and_text_stays_text(team: Team, sign_in: SignIn) -> None:
    chat = private_chat(team)
    asked = ask(
        Asker(team.organization.pk, conversation_id=chat.pk, requester_user_id=team.member.user.pk),
        kind="tool_call", subject="write_file", origin_key="x", title="<script>alert(1)</script>",
        action={"arguments": {"path": "n\u043etes\u200b.txt", "content": "<img src=x>"}},
        preview=[{"label": "Write", "form": "diff", "text": "+<img src=x>\n-gone"}],
    )  # fmt: skip
    page = sign_in(team.member).get(f"/approvals/{asked.pk}/").content.decode()
    assert "U+043E cyrillic small letter o" in page
    assert "U+200B zero width space" in page
    assert "n\\u043etes\\u200b.txt" in page
    assert "<img src=x>" not in page
    team.member.user.memberships.update(role="moderator")
    listed = sign_in(team.member).get("/approvals/").content.decode()
    assert "Look closely" in listed
    assert 'value="approve"' not in listed
    assert "<script>alert" not in page
    assert 'name="act" value="approve"' not in page


def test_the_conversation_shows_what_waits_in_it_with_buttons_for_those_who_may(
    team: Team, sign_in: SignIn
) -> None:
    chat = private_chat(team)
    asker = Asker(team.organization.pk, conversation_id=chat.pk, requester_user_id=team.member.user.pk)
    ask(
        asker, kind="tool_call", subject="x", origin_key="x", title="Write a letter", action={"arguments": {}}
    )
    page = sign_in(team.member).get(f"/chat/{chat.pk}/").content.decode()
    assert "Write a letter" in page
    assert 'value="approve"' not in page
    team.member.user.memberships.update(role="moderator")
    assert 'value="approve"' in sign_in(team.member).get(f"/chat/{chat.pk}/").content.decode()


def test_only_administrators_set_policies_and_every_change_is_written_down(
    team: Team, sign_in: SignIn
) -> None:
    form = {"tool": "write_file", "policy": "ask"}
    sign_in(team.moderator).post("/settings/tools/", form)
    assert not ToolPolicy.objects.exists()
    admin = sign_in(team.admin)
    for _ in range(2):
        admin.post("/settings/tools/", form)
    admin.post("/settings/tools/?agent=spacebot", {"tool": "write_file", "policy": "disable"})
    assert sorted(ToolPolicy.objects.values_list("agent__slug", "policy"), key=str) == [
        ("spacebot", "disable"),
        (None, "ask"),
    ]
    assert AuditEvent.objects.filter(action="tool_policy.set").count() == 2
    admin.post("/settings/tools/", {"tool": "write_file", "policy": ""})
    assert ToolPolicy.objects.filter(agent=None).count() == 0
    admin.post("/settings/tools/", {"tool": "reply", "policy": "disable"})
    assert not ToolPolicy.objects.filter(tool="reply").exists()


def test_a_stranger_finds_nothing(team: Team, rivals: Team, sign_in: SignIn) -> None:
    asked = ask_for(team)
    client = sign_in(rivals.owner)
    assert client.get(f"/approvals/{asked.pk}/").status_code == 404
    assert client.post(f"/approvals/{asked.pk}/", {"act": "approve"}).status_code == 404
    assert Approval.objects.get().state == "open"


def test_a_list_offers_a_command_only_where_its_line_tells_the_whole_of_it(
    team: Team, sign_in: SignIn
) -> None:
    chat = private_chat(team)
    plain = {"command": "git status", "folder": "", "environment": {}}
    for number, (title, changed) in enumerate(
        (
            ("Shell: git status", {}),
            ("Shell: git status", {"environment": {"PATH": "."}}),
            ("Shell: git status", {"folder": "elsewhere"}),
            ("Shell: git status rm", {"command": "git status\nrm"}),
            ("Shell: git \ufffdstatus", {"command": "git \x1bstatus"}),
            ("Shell: git \U0001d42cstatus", {"command": "git \U0001d42cstatus"}),
        )
    ):
        ask(
            Asker(team.organization.pk, conversation_id=chat.pk, requester_user_id=team.member.user.pk),
            kind="tool_call", subject="shell", origin_key=str(number), title=title,
            action={"arguments": {**plain, **changed}}, preview=[{"label": "Run", "form": "text", "text": "\u202ex"}],
        )  # fmt: skip
    team.member.user.memberships.update(role="moderator")
    listed = sign_in(team.member).get("/approvals/").content.decode()
    assert listed.count("Look closely") == 5
    assert listed.count("data-decide") == 1
    first = Approval.objects.earliest("id")
    page = sign_in(team.member).get(f"/approvals/{first.pk}/").content.decode()
    assert "⟨U+202E⟩x" in page
    assert "\u202e" not in page
