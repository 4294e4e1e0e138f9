"""Why a coding agent cannot do a task. The words are for people and for the agent that delegated."""

from __future__ import annotations


class NoBackend(Exception):
    """There is none here, or none may be used."""


class WrongProgram(NoBackend):
    """A setting names a program that is none."""


class BackendFailed(Exception):
    """It started, and cannot go on."""


class ProgramEnded(BackendFailed):
    """Its program ended by itself; a session of it may be taken up again."""


class Breach(BackendFailed):
    """It did what it had not been let, and was stopped."""
