"""The embedded servers on a home of their own."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
import redis

from spacebot_site.launch import embedded
from spacebot_site.launch.os_processes import end
from spacebot_site.launch.servers import passwords


def test_two_starters_at_once_share_one_pair_of_servers(home: Path) -> None:
    with ThreadPoolExecutor(2) as both:
        first, second = both.map(embedded.start, [home, home])
    assert first == second
    assert all(embedded.identities(home).values())


def test_what_was_written_is_there_after_a_kill(home: Path) -> None:
    addresses = embedded.start(home)
    with psycopg.connect(addresses.database_url, autocommit=True) as connection:
        connection.execute("create table kept (word text)")
        connection.execute("insert into kept values ('here')")
    with redis.Redis.from_url(addresses.redis_url) as client:
        client.set("kept", "here")
        assert client.execute_command("WAITAOF", 1, 0, 30_000)[0] == 1
    end([one for one in embedded.identities(home).values() if one], timeout_s=5, number=signal.SIGKILL)
    embedded.start(home)
    with psycopg.connect(addresses.database_url) as connection:
        assert connection.execute("select word from kept").fetchone() == ("here",)
    with redis.Redis.from_url(addresses.redis_url) as client:
        assert client.get("kept") == b"here"


def test_a_pid_file_that_names_another_program_is_not_believed(home: Path) -> None:
    embedded.start(home)
    postmaster = home / "postgres" / "postmaster.pid"
    text = postmaster.read_text()
    end([one for one in embedded.identities(home).values() if one], timeout_s=5, number=signal.SIGKILL)
    postmaster.write_text(text.replace(text.split()[0], str(os.getpid()), 1))
    (home / "valkey" / "valkey.pid").write_text(str(os.getpid()))
    embedded.start(home)
    assert os.getpid() not in {one.pid for one in embedded.identities(home).values() if one}
    embedded.stop(home)
    assert embedded.identities(home) == {"postgres": None, "valkey": None}


def test_nobody_without_the_password_gets_in(home: Path) -> None:
    addresses = embedded.start(home)
    known = passwords(home)
    client = redis.Redis.from_url(addresses.redis_url.replace(known["valkey"], "wrong"))
    with client, pytest.raises(redis.AuthenticationError):
        client.ping()
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(addresses.database_url.replace(known["postgres"], "wrong"))


def test_the_home_keeps_its_passwords_to_itself(home: Path) -> None:
    embedded.services(home)
    path = home / "config" / "services.json"
    assert path.stat().st_mode & 0o777 == 0o600
