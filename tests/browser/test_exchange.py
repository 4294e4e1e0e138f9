"""What people and agents hand each other in the chat: a question answered by a button, a file sent with a message."""

from __future__ import annotations

from pathlib import Path

from agents.models import Question
from messaging.models import Attachment
from messaging.services.conversations import start_conversation
from tests.browser.conftest import OpenAs, Program, check_accessible
from tests.factories import Team


def test_a_question_is_answered_by_a_button_once_for_everyone(
    team: Team, open_as: OpenAs, worker: Program
) -> None:
    chat = start_conversation(
        team.member, agent_id=team.agent.pk, kind="group", title="Tea", user_ids=[team.owner.user.pk]
    )
    page, other = (open_as(actor, f"/chat/{chat.pk}/") for actor in (team.member, team.owner))
    page.fill("#text", "Ask me: tea, coffee or water?")
    page.keyboard.press("Enter")
    form = page.locator("form.question")
    form.wait_for()
    check_accessible(page)
    other.locator("form.question button", has_text="coffee").wait_for()
    form.get_by_role("button", name="coffee").click()
    for each in (page, other):
        each.locator("form.question[data-state=answered]", has_text="Answered by").wait_for()
        assert each.locator("form.question button").count() == 0
        each.locator(".message", has=each.locator(".quote", has_text="Which one")).locator(
            ".message-text", has_text="coffee"
        ).wait_for()
    page.locator(".message", has_text="You said:").wait_for()
    check_accessible(page)
    assert Question.objects.get().answer == {"choices": [1]}


def test_an_answer_in_own_words_and_the_form_page(team: Team, open_as: OpenAs, worker: Program) -> None:
    chat = start_conversation(team.member, agent_id=team.agent.pk, kind="dm")
    page = open_as(team.member, f"/chat/{chat.pk}/")
    page.fill("#text", "Ask me: tea or coffee?")
    page.keyboard.press("Enter")
    page.locator("form.question summary").click()
    page.fill("form.question input[name=text]", "neither")
    form_page = open_as(team.member, f"/questions/{Question.objects.get().pk}/")
    check_accessible(form_page)
    page.keyboard.press("Enter")
    page.locator("form.question[data-state=answered]", has_text="answered: neither").wait_for()
    form_page.locator("form.question[data-state=answered]").wait_for()


def test_a_file_goes_with_a_message_and_can_be_saved(
    team: Team, open_as: OpenAs, worker: Program, tmp_path: Path
) -> None:
    chat = start_conversation(team.member, agent_id=team.agent.pk, kind="dm")
    page = open_as(team.member, f"/chat/{chat.pk}/")
    given = tmp_path / "numbers.csv"
    given.write_text("1,2\n" * 1_000)
    page.set_input_files("#attach", [str(given)])
    page.locator("#files .composer-file", has_text="3.9 KB").wait_for()
    page.locator("#files .composer-file:not(:has(progress))").wait_for()
    check_accessible(page)
    page.fill("#text", "look at this")
    page.keyboard.press("Enter")
    link = page.locator(".message", has_text="look at this").locator("a.attachment", has_text="numbers.csv")
    link.wait_for()
    assert page.locator("#files").is_hidden()
    with page.expect_download() as download:
        link.click()
    assert Path(download.value.path()).read_text() == given.read_text()
    page.reload()
    page.locator("a.attachment", has_text="numbers.csv").wait_for()
    assert Attachment.objects.get().message is not None


def test_a_file_that_was_added_can_be_taken_away_and_one_alone_be_sent(
    team: Team, open_as: OpenAs, worker: Program
) -> None:
    chat = start_conversation(team.member, agent_id=team.agent.pk, kind="dm")
    page = open_as(team.member, f"/chat/{chat.pk}/")
    files = [{"name": name, "mimeType": "text/plain", "buffer": b"x"} for name in ("a.txt", "b.txt")]
    page.set_input_files("#attach", files)
    page.locator("#files .composer-file:not(:has(progress))").nth(1).wait_for()
    with page.expect_response(lambda answer: answer.request.method == "DELETE"):
        page.get_by_role("button", name="Remove a.txt").click()
    page.locator("#files .composer-file", has_text="a.txt").wait_for(state="detached")
    page.locator("#text").press("Enter")
    page.locator(".message", has_text="Sent b.txt").locator("a.attachment", has_text="b.txt").wait_for()
    assert [each.name for each in Attachment.objects.all()] == ["b.txt"]
