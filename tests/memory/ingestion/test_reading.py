"""Every format, read by the real child."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agents.sandbox.environment import BASE
from memory.ingestion.reader.pages import Page
from memory.ingestion.reader.refusals import Unreadable
from memory.ingestion.reading import Reading, read_file
from tests.memory.ingestion.documents import assemble, make_docx, make_pdf


def read(folder: Path, name: str, data: bytes) -> Reading:
    path = folder / "stored"
    path.write_bytes(data)
    return read_file(path, name)


def text_of(folder: Path, name: str, data: bytes) -> str:
    return "\n".join(page.text for page in read(folder, name, data).pages)


@pytest.mark.parametrize("name", ["a.txt", "A.MD", "a.log", "a.yaml"])
def test_plain_text_is_taken_as_it_is(tmp_path: Path, name: str) -> None:
    assert text_of(tmp_path, name, "Grüße: 3\r\nline\r".encode()) == "Grüße: 3\nline\n"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_encodings_of_other_systems_are_known(tmp_path: Path, encoding: str) -> None:
    assert text_of(tmp_path, "a.txt", "Café in Århus".encode(encoding)) == "Café in Århus"


def test_a_web_page_is_read_as_people_see_it(tmp_path: Path) -> None:
    page = b"""<html><head><title>Plans</title><style>p {}</style><script>if (a < b) alert("no")</script></head>
    <body><p>Fish &amp; <b>chips</b><p>on Friday<template>hidden</template><table><tr><td>a<td>b</table></html>"""
    text = text_of(tmp_path, "a.html", page)
    assert "Fish & chips\n" in text
    assert "on Friday" in text
    assert "a\tb" in text
    assert not any(word in text for word in ("alert", "hidden", "{}"))


def test_rows_of_a_table_stand_for_themselves(tmp_path: Path) -> None:
    text = text_of(tmp_path, "a.csv", b'name;town\nMia;"Ulm; old town"\nOtto;\n')
    assert text.splitlines() == ["name; town", "name: Mia; town: Ulm; old town", "name: Otto"]


def test_json_values_carry_their_paths(tmp_path: Path) -> None:
    data = json.dumps({"team": [{"name": "Mia", "since": 2019}], "open": True, "none": {}}).encode()
    assert text_of(tmp_path, "a.json", data).splitlines() == [
        "team[0].name: Mia", "team[0].since: 2019", "open: true", "none: {}",
    ]  # fmt: skip


def test_json_lines_are_records(tmp_path: Path) -> None:
    assert text_of(tmp_path, "a.jsonl", b'{"a": 1, "b": "x"}\n\n[2]\n') == "a: 1; b: x\n[0]: 2"
    with pytest.raises(Unreadable, match="Line 2 is not valid JSON"):
        read(tmp_path, "a.jsonl", b'{"a": 1}\n{"a"\n')


def test_a_document_is_read_paragraph_by_paragraph(tmp_path: Path) -> None:
    assert text_of(tmp_path, "a.docx", make_docx("Tom & Ann", "second")) == "Tom & Ann\nsecond\n"


def test_deleted_text_and_field_codes_of_a_document_are_not_read(tmp_path: Path) -> None:
    raw = (
        b'<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:p><w:r>'
        b"<w:delText>old</w:delText><w:instrText>PAGE</w:instrText><w:t>new</w:t><w:tab/><w:t>end</w:t></w:r></w:p>"
        b"</w:document>"
    )
    assert text_of(tmp_path, "a.docx", make_docx(raw=raw)) == "new\tend\n"


def test_a_pdf_is_read_page_by_page(tmp_path: Path) -> None:
    reading = read(tmp_path, "a.pdf", make_pdf("First page", "Second page"))
    assert reading.pages == (Page(1, "First page"), Page(2, "Second page"))


def test_a_broken_page_is_left_out_and_told_of(tmp_path: Path) -> None:
    reading = read(tmp_path, "a.pdf", make_pdf("lost", "kept", compressed=b"\xff\xfenot packed"))
    assert "kept" in reading.pages[-1].text
    assert "lost" not in str(reading.pages)


def test_the_child_gets_nothing_of_ours_and_may_open_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    probe = (
        "import json, os, sys; sys.path.insert(0, sys.argv[1])\n"
        "from memory.ingestion.reader.limits import lower_limits; lower_limits()\n"
        "def tried(act):\n"
        "    try: act(); return 'allowed'\n"
        "    except OSError: return 'refused'\n"
        "print(json.dumps({'page': None, 'text': ' '.join([*sorted(os.environ),"
        " tried(lambda: open('/etc/passwd')), tried(lambda: os.open('/tmp/made', os.O_CREAT | os.O_WRONLY))])}))\n"
        "print(json.dumps({'end': True}))"
    )
    monkeypatch.setattr("memory.ingestion.reading.START", probe)
    assert text_of(tmp_path, "a.txt", b"x") == f"{' '.join(sorted({*BASE, 'HOME', 'PWD'}))} refused refused"


def test_a_pdf_with_a_password_is_refused(tmp_path: Path) -> None:
    key = (
        "/Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <"
        + "41" * 32
        + "> /U <"
        + "42" * 32
        + "> >> /ID [<00> <00>]"
    )
    with pytest.raises(Unreadable, match="password"):
        read(tmp_path, "a.pdf", make_pdf("secret", trailer=key))


def test_too_many_pages_are_refused(tmp_path: Path) -> None:
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>"
    kids = " ".join(f"{place + 3} 0 R" for place in range(2_001))
    pages = f"<< /Type /Pages /Kids [{kids}] /Count 2001 >>".encode()
    with pytest.raises(Unreadable, match="2,001 pages"):
        read(tmp_path, "a.pdf", assemble([b"<< /Type /Catalog /Pages 2 0 R >>", pages, *[page] * 2_001]))
