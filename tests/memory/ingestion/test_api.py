from __future__ import annotations

from memory.ingestion import store
from memory.models import IngestedFile, Memory
from tests.api.conftest import Api, Upload, as_token
from tests.memory.ingestion.conftest import Desk


def files_of(desk: Desk) -> str:
    return f"/agents/{desk.team.agent.pk}/files"


def moderator(desk: Desk) -> Api:
    return as_token(desk.team.moderator)


def test_a_file_is_uploaded_listed_with_progress_and_known_the_second_time(desk: Desk) -> None:
    desk.use_model()
    api = moderator(desk)
    made = api.post(files_of(desk), Upload("Plan.md", b"The office is in Ulm."))
    assert made.status_code == 201
    assert made.json()["state"] == "queued"
    assert not made.json()["known_already"]
    desk.settle()
    again = api.post(files_of(desk), Upload("Other.md", b"The office is in Ulm."))
    assert (again.status_code, again.json()["known_already"], again.json()["id"]) == (
        200,
        True,
        made.json()["id"],
    )
    [listed] = api.get(files_of(desk)).json()["items"]
    assert (listed["name"], listed["state"], listed["chunks_done"], listed["chunks_total"], listed["memories"]) == (
        "Plan.md", "done", 1, 1, 1,
    )  # fmt: skip
    assert api.get(f"{files_of(desk)}/{listed['id']}").json()["digest"] == listed["digest"]


def test_a_file_may_be_for_its_uploader_alone(desk: Desk) -> None:
    made = moderator(desk).post(files_of(desk), Upload("a.txt", b"x", {"audience": "person"}))
    assert made.json()["audience"] == "person"
    assert as_token(desk.team.owner).get(f"{files_of(desk)}/{made.json()['id']}").status_code == 404


def test_what_is_not_read_or_too_large_is_refused(desk: Desk) -> None:
    api = moderator(desk)
    assert api.post(files_of(desk), Upload("a.exe", b"x")).status_code == 422
    large = api.post(files_of(desk), Upload("a.txt", b"x" * (store.MAX_BYTES + 1)))
    assert (large.status_code, large.json()["field"]) == (422, "file")
    assert api.post(files_of(desk), {"file": "text"}).status_code == 422
    assert not IngestedFile.objects.exists()


def test_pages_of_the_list_follow_each_other(desk: Desk) -> None:
    for number in range(3):
        desk.upload(f"{number}.txt", str(number))
    first = moderator(desk).get(f"{files_of(desk)}?limit=2").json()
    assert [item["name"] for item in first["items"]] == ["2.txt", "1.txt"]
    rest = moderator(desk).get(f"{files_of(desk)}?limit=2&cursor={first['next']}").json()
    assert ([item["name"] for item in rest["items"]], rest["next"]) == (["0.txt"], None)


def test_a_failed_file_is_tried_again(desk: Desk) -> None:
    file = desk.upload("a.json", "{").file
    retry = f"{files_of(desk)}/{file.pk}/retry"
    assert moderator(desk).post(retry, {}).status_code == 409
    desk.settle()
    assert moderator(desk).post(retry, {}).json()["state"] == "queued"
    assert as_token(desk.team.member).post(retry, {}).status_code == 403
    assert as_token(desk.rivals.owner).post(retry, {}).status_code == 404


def test_a_file_is_removed_with_what_it_taught_once(desk: Desk) -> None:
    desk.use_model()
    one = f"{files_of(desk)}/{desk.upload('a.txt', 'The office is in Ulm.').file.pk}"
    desk.settle()
    [known] = moderator(desk).get("/memories?source=file").json()["items"]
    assert f"{files_of(desk)}/{known['file_id']}" == one
    assert as_token(desk.team.member)("DELETE", one).status_code == 403
    assert as_token(desk.rivals.owner)("DELETE", one).status_code == 404
    assert moderator(desk)("DELETE", f"{one}?forget=true").json() == {"memories_forgotten": 1}
    assert moderator(desk)("DELETE", one).status_code == 404
    assert Memory.objects.get().forgotten_at is not None


def test_the_list_keeps_the_states_asked_for(desk: Desk) -> None:
    desk.upload("broken.json", "{")
    desk.settle()
    desk.upload("fresh.txt", "x")
    listed = moderator(desk).get(f"{files_of(desk)}?state=failed").json()["items"]
    assert [each["name"] for each in listed] == ["broken.json"]
