"""The commands of `./spacebot`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from spacebot_site.launch import environment_setup
from spacebot_site.launch.errors import LaunchError
from spacebot_site.launch.home import ROOT, find_home

HELP = """\
commands:
  start [--foreground] [--port N]   set up what is missing, start, print a sign-in link (the default)
  stop | restart | status [--json]
  doctor                            check this machine and this home, with a hint for each fault
  chat "text" [--agent SLUG] [--conversation NAME] [--json]
  token create NAME                 make an API token
  secrets status|rotate-data-key|rotate-master-key|lock|unlock
  test [pytest arguments]           run every check and test
  manage …                          Django's command line
  bench NAME …                      measure
  install browser                   fetch a Chromium for workers, where the system has none
  install opencode                  fetch the coding agent for coding workers
  setup                             make the environment, start nothing
"""


def main(arguments: Sequence[str]) -> int:
    """Run one command and return the exit status; a refusal is one line on stderr."""
    try:
        return _run(list(arguments))
    except LaunchError as error:
        print(f"spacebot: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("spacebot: interrupted", file=sys.stderr)
        return 130


def _run(arguments: list[str]) -> int:
    command, rest = (
        (arguments[0], arguments[1:]) if arguments and arguments[0] != "--port" else ("start", arguments)
    )
    if command in ("-h", "--help", "help"):
        print(f"usage: ./spacebot [command]\n\n{HELP}", end="")
        return 0
    if command not in COMMANDS:
        raise LaunchError(f"there is no command {command!r}", "./spacebot --help lists them")
    return COMMANDS[command](rest)


def _enter_environment(*, development: bool = False, pages: bool = True) -> None:
    """Make sure of the environment, and go on inside it: this very command starts again there."""
    environment_setup.ensure_python(development=development)
    if pages:
        environment_setup.ensure_node_packages()
    if not environment_setup.is_inside():
        python = str(environment_setup.PYTHON)
        os.execv(python, [python, str(ROOT / "spacebot"), *sys.argv[1:]])


def _start(rest: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="spacebot start")
    parser.add_argument("--foreground", action="store_true", help="stay, show the logs, stop at Ctrl-C")
    parser.add_argument("--port", type=int)
    options = parser.parse_args(rest)
    _enter_environment()
    from spacebot_site.launch.start import follow, start, stop_when_told

    started = start(find_home(), port=options.port)
    if options.foreground:
        stop_when_told(find_home())
    address = started.state.address
    print(f"Spacebot {'already runs' if started.was_running else 'runs'} at {address}")
    print(f"Sign in (once, within a day): {address}{started.prepared.sign_in_path}", flush=True)
    for note in started.prepared.notes:
        print(f"spacebot: {note}", file=sys.stderr)
    return follow(find_home(), started.state) if options.foreground else 0


def _stop(rest: list[str]) -> int:
    _parse_nothing("stop", rest)
    from spacebot_site.launch.start import stop

    print("Spacebot stopped." if stop(find_home()) else "Spacebot was not running.")
    return 0


def _restart(rest: list[str]) -> int:
    from spacebot_site.launch.start import stop
    from spacebot_site.launch.state import find_running

    running = find_running(find_home())
    stop(find_home())
    if running and "--port" not in rest:
        rest = [*rest, "--port", str(running.port)]
    sys.argv[1:] = ["start", *rest]
    return _start(rest)


def _status(rest: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="spacebot status")
    parser.add_argument("--json", action="store_true")
    from spacebot_site.launch.status import show_status

    return show_status(find_home(), as_json=parser.parse_args(rest).json)


def _setup(rest: list[str]) -> int:
    _parse_nothing("setup", rest)
    _enter_environment()
    return 0


def _manage(rest: list[str]) -> int:
    _enter_environment(pages=False)
    from spacebot_site.launch.django_commands import run_manage

    return run_manage(find_home(), rest)


def _token(rest: list[str]) -> int:
    if len(rest) < 2 or rest[0] != "create":
        raise LaunchError("a token needs a name", './spacebot token create "my script"')
    _enter_environment(pages=False)
    from spacebot_site.launch.django_commands import run_manage

    return run_manage(find_home(), ["create_token", *rest[1:]])


def _install(rest: list[str]) -> int:
    if rest not in (["browser"], ["opencode"]):
        raise LaunchError("there is nothing else to install", "./spacebot install browser|opencode")
    _enter_environment(pages=False)
    from spacebot_site.launch.browser import install_browser
    from spacebot_site.launch.opencode import install_opencode

    (install_browser if rest == ["browser"] else install_opencode)(find_home())
    return 0


def _secrets(rest: list[str]) -> int:
    _enter_environment(pages=False)
    from spacebot_site.launch.django_commands import run_manage

    return run_manage(find_home(), ["secrets", *rest])


def _bench(rest: list[str]) -> int:
    _enter_environment(development=True)
    python = str(environment_setup.PYTHON)
    os.chdir(ROOT)
    os.execv(python, [python, "-m", "spacebot_site.bench", *rest])


def _chat(rest: list[str]) -> int:
    from spacebot_site.launch.chat import chat

    return chat(find_home(), rest)


def _doctor(rest: list[str]) -> int:
    _parse_nothing("doctor", rest)
    from spacebot_site.launch.doctor import examine

    return examine(find_home())


def _test(rest: list[str]) -> int:
    _enter_environment(development=True)
    from spacebot_site.launch.gates import run_gates

    return run_gates(rest)


def _parse_nothing(name: str, rest: list[str]) -> None:
    argparse.ArgumentParser(prog=f"spacebot {name}").parse_args(rest)


COMMANDS = {
    "start": _start,
    "stop": _stop,
    "restart": _restart,
    "status": _status,
    "setup": _setup,
    "doctor": _doctor,
    "manage": _manage,
    "token": _token,
    "install": _install,
    "secrets": _secrets,
    "bench": _bench,
    "chat": _chat,
    "test": _test,
}
