"""Links, pipes, second names and folders that are swapped while a tool works: it never leaves the workspace."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from agents.errors import ToolFailed, ToolRetry
from agents.tools.base import ToolContext
from agents.tools.files import listing, searching
from agents.tools.workspace import open_file, open_folder
from tests.agents.files.conftest import Use

ROUNDS = 400


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder beside the workspace that nothing may read or change."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "secret").write_text("the secret")
    return folder


def untouched(outside: Path) -> bool:
    return [each.name for each in outside.iterdir()] == ["secret"] and (
        outside / "secret"
    ).read_text() == "the secret"


@contextmanager
def swapping(*steps: Callable[[], None]) -> Iterator[None]:
    """Do the steps over and over in another thread meanwhile."""
    stop = threading.Event()

    def swap() -> None:
        while not stop.is_set():
            for step in steps:
                with suppress(OSError):
                    step()

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def test_links_and_second_names_are_not_followed(use: Use, workspace: Path, outside: Path) -> None:
    os.symlink(outside, workspace / "folder")
    os.symlink(outside / "secret", workspace / "file")
    os.link(outside / "secret", workspace / "hard")
    for path in ("folder/secret", "file", "hard"):
        for name, more in (
            ("read_file", {}),
            ("append_file", {"content": "x"}),
            ("edit_file", {"old": "the", "new": "x"}),
        ):
            with pytest.raises((ToolFailed, ToolRetry)):
                use(name, path=path, **more)
    assert "secret" not in use("search_files", pattern="secret")
    assert "the secret" not in use("list_files", recursive=True)
    for name, arguments in (
        ("write_file", {"path": "folder/new", "content": "x"}),
        ("move_file", {"source": "folder/secret", "target": "mine"}),
        ("move_file", {"source": "nothing", "target": "folder/x"}),
        ("delete_file", {"path": "folder/secret"}),
    ):
        with pytest.raises((ToolFailed, ToolRetry)):
            use(name, **arguments)
    use("write_file", path="file", content="replaced")
    use("write_file", path="hard", content="replaced")
    assert untouched(outside)
    use("delete_file", path="folder")
    assert untouched(outside)


def test_a_pipe_or_a_device_neither_blocks_nor_is_opened(use: Use, workspace: Path) -> None:
    os.mkfifo(workspace / "pipe")
    for name, more in (
        ("read_file", {}),
        ("append_file", {"content": "x"}),
        ("edit_file", {"old": "a", "new": "b"}),
    ):
        with pytest.raises(ToolFailed, match="not a plain file"):
            use(name, path="pipe", **more)
    assert use("search_files", pattern="x").startswith("[nothing found]")
    with open_folder(Path("/dev"), ()) as handle, pytest.raises(ToolFailed):
        open_file(handle, "null", os.O_RDONLY)


def test_a_folder_swapped_for_a_link_never_leads_out(use: Use, workspace: Path, outside: Path) -> None:
    (workspace / "real").mkdir()
    (workspace / "real" / "secret").write_text("mine")
    link = workspace / "link"
    os.symlink(outside, link)
    door = workspace / "door"
    seen = set()
    with swapping(lambda: os.rename(workspace / "real", door), lambda: os.rename(door, workspace / "real"),
                  lambda: os.rename(link, door), lambda: os.rename(door, link)):  # fmt: skip
        for _ in range(ROUNDS):
            for name, more in (
                ("read_file", {"path": "door/secret"}),
                ("search_files", {"pattern": "secret|mine", "path": "door"}),
                ("write_file", {"path": "door/secret", "content": "mine"}),
                ("write_file", {"path": "door/new/deep", "content": "mine"}),
                ("append_file", {"path": "door/secret", "content": ""}),
                ("move_file", {"source": "door/new/deep", "target": "door/deep"}),
                ("delete_file", {"path": "door/deep"}),
            ):
                with suppress(ToolFailed, ToolRetry):
                    seen.add(use(name, **more).replace("mine", ""))
    assert not any("the secret" in each for each in seen)
    assert untouched(outside)


def test_a_file_swapped_for_a_link_is_never_read_or_written_through(
    use: Use, workspace: Path, outside: Path
) -> None:
    plain, link, target = workspace / "plain", workspace / "link", workspace / "target"
    plain.write_text("mine")
    os.symlink(outside / "secret", link)
    seen = set()
    with swapping(lambda: os.rename(plain, target), lambda: os.rename(target, plain),
                  lambda: os.rename(link, target), lambda: os.rename(target, link)):  # fmt: skip
        for _ in range(ROUNDS):
            for name, more in (
                ("read_file", {}),
                ("append_file", {"content": ""}),
                ("edit_file", {"old": "mine", "new": "mine"}),
            ):
                with suppress(ToolFailed, ToolRetry):
                    seen.add(use(name, path="target", **more))
    assert not any("the secret" in each for each in seen)
    assert untouched(outside)


def test_a_recursive_delete_does_not_follow_a_folder_that_becomes_a_link(
    use: Use, workspace: Path, outside: Path
) -> None:
    link = workspace / "link"
    os.symlink(outside, link)

    def make() -> None:
        (workspace / "gone" / "deep").mkdir(parents=True, exist_ok=True)

    with swapping(
        make,
        lambda: os.rename(workspace / "gone" / "deep", workspace / "aside"),
        lambda: os.rename(link, workspace / "gone" / "deep"),
        lambda: os.rename(workspace / "gone" / "deep", link),
        lambda: os.rmdir(workspace / "aside"),
        lambda: os.path.lexists(link) or os.symlink(outside, link),
    ):
        for _ in range(ROUNDS):
            with suppress(ToolFailed, ToolRetry):
                use("delete_file", path="gone", recursive=True)
    assert untouched(outside)


def test_looking_below_a_folder_does_not_wander_into_a_link(
    use: Use, context: ToolContext, workspace: Path, outside: Path
) -> None:
    (workspace / "top" / "below").mkdir(parents=True)
    link = workspace / "link"
    os.symlink(outside, link)
    below, aside = workspace / "top" / "below", workspace / "aside"
    seen = set()
    with swapping(lambda: os.rename(below, aside), lambda: os.rename(link, below),
                  lambda: os.rename(below, link), lambda: os.rename(aside, below)):  # fmt: skip
        for _ in range(ROUNDS):
            seen.add(listing.list_files(context, listing.ListFiles(path="top", recursive=True)).text)
            seen.add(
                searching.search_files(context, searching.SearchFiles(pattern="secret", path="top")).text
            )
    assert not any("secret" in each for each in seen)
