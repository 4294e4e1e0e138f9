"""Read a key that an operator has put into the Linux kernel's keyring, by plain system calls.

    keyctl padd user spacebot-master-key @u < master.key

Nothing is ever written there: a keyring is empty after a reboot.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import sys

KEY_NAME = "spacebot-master-key"

# (request_key, keyctl) by machine; elsewhere the numbers differ and the keyring is left out.
SYSCALL_NUMBERS = {"x86_64": (249, 250), "aarch64": (218, 219)}
KEYCTL_SEARCH, KEYCTL_READ = 10, 11
USER_KEYRING = -4
LONGEST = 4096


class KeyringRefused(Exception):
    """The key is there and cannot be read."""


def find_in_keyring(name: str = KEY_NAME) -> bytes | None:
    """Return the content of the "user" key of this name, or None without such a key or keyring.

    Raises KeyringRefused when the key exists but may not be read.
    """
    numbers = SYSCALL_NUMBERS.get(platform.machine())
    if not sys.platform.startswith("linux") or numbers is None:
        return None
    request_key, keyctl = numbers
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    description = name.encode()
    serial = libc.syscall(ctypes.c_long(request_key), b"user", description, None, ctypes.c_long(0))
    if serial < 0:
        serial = libc.syscall(
            ctypes.c_long(keyctl),
            ctypes.c_long(KEYCTL_SEARCH),
            ctypes.c_long(USER_KEYRING),
            b"user",
            description,
            ctypes.c_long(0),
        )
    if serial < 0:
        return None
    buffer = ctypes.create_string_buffer(LONGEST)
    size = libc.syscall(
        ctypes.c_long(keyctl),
        ctypes.c_long(KEYCTL_READ),
        ctypes.c_long(serial),
        buffer,
        ctypes.c_long(LONGEST),
    )
    if size < 0:
        code = ctypes.get_errno()
        raise KeyringRefused(f"{errno.errorcode.get(code, code)}: {os.strerror(code)}")
    return buffer.raw[: min(size, LONGEST)]
