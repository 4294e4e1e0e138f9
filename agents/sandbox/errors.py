"""Why a command was not started.

SandboxError
├── NotContained   no driver works here, and running bare was not allowed
├── CannotStart    the program or its folder is missing, or the walls could not be built
└── BadVariable    a variable that changes what a program loads, or is none
"""

from __future__ import annotations


class SandboxError(Exception):
    pass


class NotContained(SandboxError):
    pass


class CannotStart(SandboxError):
    pass


class BadVariable(SandboxError):
    pass
