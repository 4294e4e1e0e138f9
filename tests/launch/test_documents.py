"""Documents and container files that would rot unseen."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from spacebot_site.launch import cli
from spacebot_site.launch.home import ROOT

PACKAGES = (
    "spacebot_site",
    "agents",
    "messaging",
    "llm",
    "realtime",
    "secret_store",
    "accounts",
    "memory",
    "tasks",
)
READ = re.compile(r"""(?:read_(?:str|int|bool|list)\(|environ(?:\.get\(|\[))\s*"([A-Z][A-Z_]+)\"""")
FOREIGN = {"PATH"}


def variables_read() -> set[str]:
    found: set[str] = set()
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            if "bench" not in path.parts:
                found |= set(READ.findall(path.read_text()))
    return found - FOREIGN


def test_the_search_for_variables_finds_some() -> None:
    assert {"SPACEBOT_HOME", "DATABASE_URL", "SPACEBOT_PORT", "SPACEBOT_DEBUG"} <= variables_read()


def test_every_variable_is_in_the_settings_document() -> None:
    document = (ROOT / "docs" / "settings.md").read_text()
    assert sorted(name for name in variables_read() if f"`{name}`" not in document) == []


def test_every_variable_in_the_settings_document_is_read() -> None:
    document = (ROOT / "docs" / "settings.md").read_text()
    code = "".join(
        path.read_text() for package in (*PACKAGES, "tests") for path in (ROOT / package).rglob("*.py")
    )
    named = set(re.findall(r"`([A-Z]+_[A-Z_]+)`", document))
    assert sorted(name for name in named if f'"{name}"' not in code) == []


def test_compose_names_what_exists() -> None:
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text())
    assert set(compose["services"]) == {"spacebot", "postgres", "redis"}
    settings = (ROOT / "docs" / "settings.md").read_text()
    ours = compose["services"]["spacebot"]
    assert [name for name in ours["environment"] if f"`{name}`" not in settings] == []
    assert set(ours["depends_on"]) == {"postgres", "redis"}
    for name, service in compose["services"].items():
        assert ("build" in service) != ("image" in service), name
        for volume in service["volumes"]:
            assert volume.split(":")[0] in compose["volumes"]


def dockerfile_instructions() -> list[tuple[str, str]]:
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(line.split(None, 1)[0], line.split(None, 1)[1]) for line in lines]


def test_the_dockerfile_copies_what_exists_and_runs_commands_that_exist() -> None:
    instructions = dockerfile_instructions()
    known = {"FROM", "RUN", "WORKDIR", "USER", "COPY", "ENV", "VOLUME", "EXPOSE", "HEALTHCHECK", "CMD"}
    assert {name for name, _ in instructions} == known
    for name, rest in instructions:
        if name == "COPY":
            sources = [part for part in rest.split() if not part.startswith("--")][:-1]
            assert [source for source in sources if not (ROOT / source).exists()] == []
        for command in re.findall(r'\./spacebot"?,? "?(\w+)', rest):
            assert command in cli.COMMANDS


@pytest.mark.parametrize(
    "name", ["requirements.txt", "requirements-dev.txt", "requirements-model.txt", "requirements-node.txt"]
)
def test_lock_files_pin_every_package_with_hashes_and_name_no_index(name: str) -> None:
    text = (ROOT / name).read_text()
    packages = [line for line in text.splitlines() if re.match(r"[a-z0-9]", line, re.IGNORECASE)]
    assert len(packages) > 1
    assert [line for line in packages if "==" not in line or not line.endswith("\\")] == []
    assert not re.search(r"://|--(extra-)?index-url|--find-links", text)


def test_the_front_end_lock_file_has_integrity_and_names_no_registry() -> None:
    text = Path(ROOT / "package-lock.json").read_text()
    assert text.count('"integrity"') == text.count('"node_modules/')
    assert '"resolved"' not in text
