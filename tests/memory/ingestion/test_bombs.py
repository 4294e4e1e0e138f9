"""Files made to hurt: each is refused alone, with a reason, soon."""

from __future__ import annotations

import io
import json
import time
import zipfile
import zlib
from pathlib import Path

import pytest

from memory.ingestion import reading
from memory.ingestion.reader.refusals import Unreadable
from memory.ingestion.reading import read_file
from tests.memory.ingestion.conftest import Desk
from tests.memory.ingestion.documents import WORD, assemble, make_docx, make_pdf

HEAD = f'<w:document xmlns:w="{WORD}">'.encode()


def zip_bomb() -> bytes:
    return make_docx(raw=HEAD + b"<w:p><w:t>" + b"a" * 120_000_000)


def many_laughs() -> bytes:
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    return make_docx(raw=f'<!DOCTYPE x [<!ENTITY l0 "ha">{entities}]><x>&l9;</x>'.encode())


def packed_pdf() -> bytes:
    return make_pdf("x", compressed=zlib.compress(b"(a) Tj " * 40_000_000, 9))


def circular_pdf() -> bytes:
    return assemble(
        [b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 2 >>"]
    )


BOMBS = {
    "zip.docx": (zip_bomb, "unpacks|text"),
    "laughs.docx": (many_laughs, "XML entities"),
    "outside.docx": (
        lambda: make_docx(raw=b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>'),
        "XML entities",
    ),
    "deep.docx": (lambda: make_docx(raw=HEAD + b"<w:p>" * 100_000), "levels deep"),
    "half.docx": (lambda: make_docx("some text")[:-40], "broken"),
    "other.docx": (lambda: make_docx("x", part="xl/workbook.xml"), "not a DOCX"),
    "deep.json": (lambda: b"[" * 500_000 + b"]" * 500_000, "nested"),
    "less-deep.json": (lambda: b"[" * 100 + b"1" + b"]" * 100, "nested"),
    "paths.json": (
        lambda: json.dumps({"k" * 5_000_000: {"j": list(range(100))}}).encode(),
        "million characters",
    ),
    "number.json": (lambda: b"1" * 10_000_000, "not valid JSON"),
    "half.json": (lambda: b'{"a": [1, 2', "not valid JSON"),
    "broken.csv": (lambda: b'a,b\n"' + b"x" * 1_000_000, "not a readable table"),
    "headings.csv": (
        lambda: b"h" * 100_000 + b"\n" + b"1\n" * 10_000,
        "million characters",
    ),
    "broken.pdf": (lambda: b"%PDF-1.7\n" + b"\x00garbage" * 1_000, "broken"),
    "circular.pdf": (circular_pdf, "broken"),
    "packed.pdf": (packed_pdf, "broken|memory|characters"),
    "long.txt": (lambda: b"a" * 11_000_000, "million characters"),
    "binary.txt": (lambda: bytes(range(256)) * 10, "not text"),
    "picture.pdf": (lambda: b"\x89PNG\r\n\x1a\n" + b"x" * 100, "something else"),
    "really-a.txt": (lambda: make_pdf("x"), "something else"),
    "really-text.docx": (lambda: b"only text", "something else"),
    "empty.txt": (lambda: b" \n", "empty"),
    "program.exe": (lambda: b"MZ", "not read"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_or_broken_file_is_refused_with_a_reason(tmp_path: Path, name: str) -> None:
    make, reason = BOMBS[name]
    path = tmp_path / "stored"
    path.write_bytes(make())
    started = time.monotonic()
    with pytest.raises(Unreadable, match=reason):
        read_file(path, name)
    assert time.monotonic() - started < 50


def test_a_child_that_hangs_is_killed_with_its_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        reading, "START", "import os, time; os.write(1, b'{}\\n'); os.fork(); time.sleep(600)"
    )
    path = tmp_path / "stored"
    path.write_text("x")
    started = time.monotonic()
    with pytest.raises(Unreadable, match="too long"):
        read_file(path, "a.txt", timeout_s=1)
    assert time.monotonic() - started < 60


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import os\nwhile True: os.write(1, b'x' * 65536)", "too much text"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "broke off"),
        ("print('[1]'); print('nonsense'); print('{\"page\": 1, \"text\": \"half\"}')", "broke off"),
    ],
)
def test_what_a_child_says_is_not_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, reason: str
) -> None:
    monkeypatch.setattr(reading, "START", code)
    path = tmp_path / "stored"
    path.write_text("x")
    with pytest.raises(Unreadable, match=reason):
        read_file(path, "a.txt")


def test_a_bomb_fails_alone(desk: Desk) -> None:
    desk.use_model()
    for name in ("deep.json", "laughs.docx", "broken.pdf"):
        desk.upload(name, BOMBS[name][0]())
    fine = desk.upload("fine.txt", "The office is in Ulm.").file
    desk.settle()
    fine.refresh_from_db()
    assert fine.state == "done"
    assert desk.memories() == ["The office is in Ulm."]
    failed = type(fine).objects.exclude(pk=fine.pk)
    assert {file.state for file in failed} == {"failed"}
    assert all(file.reason and file.tries == 1 for file in failed)


def test_an_archive_of_very_many_entries_is_refused(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for number in range(60_000):
            archive.writestr(str(number), b"")
    path = tmp_path / "stored"
    path.write_bytes(out.getvalue())
    with pytest.raises(Unreadable, match="not a DOCX"):
        read_file(path, "many.docx")
