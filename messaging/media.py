"""What a file is by its first bytes, whatever it is called, and what it may be called."""

from __future__ import annotations

import unicodedata

NAME_LENGTH = 120
TEXT = "text/plain"
UNKNOWN = "application/octet-stream"
SNIFFED = 4_096
_MARKS: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
    (b"\x1f\x8b", "application/gzip"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"OggS", "audio/ogg"),
    (b"ID3", "audio/mpeg"),
    (b"\x7fELF", "application/x-executable"),
)


def media_type_of(head: bytes) -> str:
    """Return the type by content. Nothing a browser would run is ever named: a web page is text here."""
    for mark, kind in _MARKS:
        if head.startswith(mark):
            return kind
    if head[:4] == b"RIFF" and head[8:12] in (b"WEBP", b"WAVE"):
        return "image/webp" if head[8:12] == b"WEBP" else "audio/wav"
    if head[4:8] == b"ftyp":
        return "video/mp4"
    return TEXT if _is_text(head[:SNIFFED]) else UNKNOWN


def _is_text(head: bytes) -> bool:
    if b"\0" in head:
        return False
    try:
        head.decode()
    except UnicodeDecodeError as error:
        return error.start >= len(head) - 3 and len(head) >= SNIFFED
    return True


def clean_name(name: str) -> str:
    """Return the last part of a file's name, without what cannot be seen, turns text around or means something to a shell's
    path; never empty, never hidden, its ending kept when it is cut."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    kept = "".join(
        each for each in unicodedata.normalize("NFC", last) if unicodedata.category(each)[0] != "C"
    )
    kept = "".join("_" if each in '<>:"|?*' else each for each in " ".join(kept.split())).lstrip(". ")
    if len(kept) > NAME_LENGTH:
        stem, dot, ending = kept.rpartition(".")
        kept = f"{stem[: NAME_LENGTH - len(ending) - 1]}.{ending}" if dot and len(ending) <= 16 else kept
    return kept[:NAME_LENGTH].rstrip(". ") or "file"
