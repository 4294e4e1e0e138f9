from __future__ import annotations

import asyncio
import json
import threading
import time
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.db import connections
from django.utils import timezone
from websockets.exceptions import ConnectionClosed, InvalidStatus

from accounts.models import ApiToken, Membership, User
from realtime import hub, services
from realtime.consumers import EventSocket
from realtime.models import Event
from realtime.services import NewEvent, publish_transient, record
from tests.realtime.conftest import PATIENCE_S, Site, hear, hear_ready, token_of


def session_cookie(user: User) -> str:
    from django.contrib.sessions.backends.cached_db import SessionStore

    store = SessionStore()
    store[SESSION_KEY], store[BACKEND_SESSION_KEY] = (
        str(user.pk),
        "django.contrib.auth.backends.ModelBackend",
    )
    store[HASH_SESSION_KEY] = user.get_session_auth_hash()
    store.save()
    return f"{django_settings.SESSION_COOKIE_NAME}={store.session_key}"


def kinds(frames: list[dict[str, Any]]) -> list[str]:
    return [frame["kind"] for frame in frames]


def test_a_client_hears_the_past_then_the_present(site: Site, acme: Any) -> None:
    record(acme.organization.pk, NewEvent("one", {"n": 1}), NewEvent("two", {}), NewEvent("three", {}))
    with site.open(token_of(acme.member), "?after=1") as socket:
        assert kinds(hear_ready(socket)) == ["two", "three", "ready"]
        record(acme.organization.pk, NewEvent("four", {"text": "ü"}))
        publish_transient(acme.organization.pk, NewEvent("typing", {"on": True}))
        four, typing = hear(socket, lambda frame: frame["kind"] == "typing")
    assert (four["id"], four["kind"], four["payload"], four["conversation_id"]) == (
        4,
        "four",
        {"text": "ü"},
        None,
    )
    assert four["at"]
    assert typing["id"] is None


def test_replay_meets_live_without_gap_or_double_while_others_write(site: Site, acme: Any) -> None:
    organization_id = acme.organization.pk

    def write() -> None:
        try:
            for _ in range(60):
                record(organization_id, NewEvent("tick", {}))
        finally:
            connections.close_all()

    token = token_of(acme.member)
    writers = [threading.Thread(target=write) for _ in range(4)]
    for writer in writers:
        writer.start()
    with site.open(token, "?after=0") as early:
        time.sleep(0.1)
        with site.open(token, "?after=0") as late:
            for socket in (early, late):
                heard = hear(socket, lambda frame: frame["id"] == 240)
                assert [frame["id"] for frame in heard if frame["id"]] == list(range(1, 241))
    for writer in writers:
        writer.join()


def test_what_the_bus_lost_comes_from_postgresql(site: Site, acme: Any, monkeypatch: Any) -> None:
    with site.open(token_of(acme.member)) as socket:
        hear_ready(socket)
        with monkeypatch.context() as patch:
            patch.setattr(services.bus, "publish", lambda *_: None)
            record(acme.organization.pk, NewEvent("unheard", {}))
        record(acme.organization.pk, NewEvent("heard", {}))
        assert kinds(hear(socket, lambda frame: frame["kind"] == "heard")) == ["unheard", "heard"]


def test_the_other_organization_hears_nothing(site: Site, acme: Any, others: Any) -> None:
    with site.open(token_of(others.owner), "?after=0") as socket:
        hear_ready(socket)
        record(acme.organization.pk, NewEvent("ours", {}))
        record(others.organization.pk, NewEvent("theirs", {}))
        assert kinds(hear(socket, lambda frame: frame["kind"] == "theirs")) == ["theirs"]


def test_a_private_conversation_reaches_only_its_participants(site: Site, acme: Any, readers: Any) -> None:
    readers.add((acme.member.user.pk, 5))
    with site.open(token_of(acme.owner)) as owner, site.open(token_of(acme.member)) as member:
        hear_ready(owner), hear_ready(member)
        record(acme.organization.pk, NewEvent("secret", {}, conversation_id=5), NewEvent("end", {}))
        assert kinds(hear(owner, lambda frame: frame["kind"] == "end")) == ["end"]
        assert kinds(hear(member, lambda frame: frame["kind"] == "end")) == ["secret", "end"]


def test_joining_and_leaving_a_conversation_takes_effect_at_once(site: Site, acme: Any, readers: Any) -> None:
    def tell(*kinds: str) -> None:
        record(acme.organization.pk, *[NewEvent(kind, {}, conversation_id=5) for kind in kinds])
        record(acme.organization.pk, NewEvent("end", {}))

    with site.open(token_of(acme.member)) as socket:
        hear_ready(socket)
        tell("before")
        assert kinds(hear(socket, lambda frame: frame["kind"] == "end")) == ["end"]
        readers.add((acme.member.user.pk, 5))
        tell("conversation.members_changed", "during")
        assert "during" in kinds(hear(socket, lambda frame: frame["kind"] == "end"))
        readers.clear()
        tell("conversation.members_changed", "after")
        assert kinds(hear(socket, lambda frame: frame["kind"] == "end")) == ["end"]


def test_events_for_one_user_or_for_higher_roles_reach_only_them(site: Site, acme: Any) -> None:
    with site.open(token_of(acme.member)) as member, site.open(token_of(acme.admin)) as admin:
        hear_ready(member), hear_ready(admin)
        record(
            acme.organization.pk,
            NewEvent("for mia", {}, user_id=acme.member.user.pk),
            NewEvent("for admins", {}, minimum_level=3),
            NewEvent("end", {}),
        )
        assert kinds(hear(member, lambda frame: frame["kind"] == "end")) == ["for mia", "end"]
        assert kinds(hear(admin, lambda frame: frame["kind"] == "end")) == ["for admins", "end"]


def test_a_client_that_asks_for_pruned_events_is_told_to_read_again(site: Site, acme: Any) -> None:
    record(acme.organization.pk, *[NewEvent("old", {})] * 3, NewEvent("new", {}))
    Event.objects.filter(kind="old").delete()
    with site.open(token_of(acme.member), "?after=1") as socket:
        assert json.loads(socket.recv(timeout=PATIENCE_S)) == {
            "id": None,
            "kind": "fell_behind",
            "last": 4,
            "payload": {"last": 4},
        }
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=PATIENCE_S)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4008


def test_a_number_from_the_future_is_told_to_read_again(site: Site, acme: Any) -> None:
    with site.open(token_of(acme.member), "?after=99") as socket:
        assert json.loads(socket.recv(timeout=PATIENCE_S))["kind"] == "fell_behind"


@pytest.mark.parametrize("how", ["token", "membership", "user", "role of the token"])
def test_revoking_access_closes_the_socket_at_once(
    site: Site, acme: Any, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What closes it is not the look that is taken now and then.
    monkeypatch.setattr("realtime.stream.CHECK_AGAIN_S", 600.0)
    actor = acme.member
    with site.open(token_of(actor)) as socket:
        hear_ready(socket)
        if how == "token":
            ApiToken.objects.filter(user=actor.user).update(revoked_at=timezone.now())
        elif how == "membership":
            Membership.objects.filter(user=actor.user).delete()
        elif how == "user":
            User.objects.filter(pk=actor.user.pk).update(is_active=False)
        else:
            ApiToken.objects.filter(user=actor.user).update(scopes=["runs:read"])
        services.announce_access_change(acme.organization.pk, actor.user.pk)
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=PATIENCE_S)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4001


def test_a_session_opens_a_socket_only_from_our_own_origin(site: Site, acme: Any) -> None:
    headers = {"Cookie": session_cookie(acme.member.user)}
    with site.open("", headers=headers, origin=f"http://{site.address}") as socket:  # type: ignore[arg-type]
        assert kinds(hear_ready(socket)) == ["ready"]
    with pytest.raises(InvalidStatus) as refused:
        site.open("", headers=headers, origin="https://evil.example")  # type: ignore[arg-type]
    assert refused.value.response.status_code == 403


def test_a_browser_may_hand_its_token_over_as_a_subprotocol(site: Site, acme: Any) -> None:
    from websockets.typing import Subprotocol

    token = token_of(acme.member)
    with site.open("", subprotocols=[Subprotocol(f"bearer.{token}")]) as socket:
        assert kinds(hear_ready(socket)) == ["ready"]
        assert socket.subprotocol == f"bearer.{token}"


@pytest.mark.parametrize("case", ["nobody", "bad token", "no scope", "bad number", "other path"])
def test_a_handshake_without_right_is_refused(site: Site, acme: Any, case: str) -> None:
    token = {"nobody": "", "bad token": "sb_wrong", "no scope": token_of(acme.member, "runs:read")}.get(
        case, token_of(acme.member)
    )
    query = {"bad number": "?after=x", "other path": "/more"}.get(case, "")
    with pytest.raises(InvalidStatus) as refused:
        site.open(token, query)
    assert refused.value.response.status_code == 403


def test_a_slow_client_is_told_that_it_fell_behind(site: Site, acme: Any, monkeypatch: Any) -> None:
    send, free = EventSocket.send, threading.Event()
    free.set()

    async def send_slowly(self: EventSocket, text_data: str) -> None:
        await asyncio.sleep(0.05)
        while not free.is_set():
            await asyncio.sleep(0.05)
        await send(self, text_data)

    monkeypatch.setattr(EventSocket, "send", send_slowly)
    monkeypatch.setattr(hub.Listener.__init__, "__defaults__", (None, 20))
    with site.open(token_of(acme.member)) as socket:
        hear_ready(socket)
        free.clear()
        for _ in range(10):
            record(acme.organization.pk, *[NewEvent("tick", {})] * 20)
        free.set()
        heard = hear(socket, lambda frame: frame["kind"] == "fell_behind")
        numbers = [frame["id"] for frame in heard[:-1]]
        assert numbers == list(range(1, len(numbers) + 1))
        assert heard[-1]["last"] == len(numbers) < 200
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=PATIENCE_S)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4008


def test_a_quiet_stream_has_a_heartbeat(site: Site, acme: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("realtime.stream.HEARTBEAT_S", 0.1)
    with site.open(token_of(acme.member)) as socket:
        assert kinds(hear(socket, lambda frame: frame["kind"] == "heartbeat")) == ["ready", "heartbeat"]
