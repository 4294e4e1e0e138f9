"""Why a file is not read, in words for people."""

from __future__ import annotations


class Unreadable(Exception):
    """`str(error)` tells the person who brought the file what is wrong with it."""
