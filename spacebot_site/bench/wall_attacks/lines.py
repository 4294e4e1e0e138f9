"""The lines themselves. Each says LEAKED when it got somewhere it should not."""

from __future__ import annotations

import os
from pathlib import Path

from agents.sandbox.command import MB, Limits


def _reads(path: str) -> str:
    return f"head -c 40 {path} >/dev/null 2>&1 && [ -s {path} ] && echo LEAKED"


def _writes(path: str) -> str:
    return f"( echo x > {path} ) 2>/dev/null && echo LEAKED; true"


def _opens(path: str) -> str:
    """Open for writing and write nothing: a kernel's switch must not be thrown by a bench that finds it open."""
    return f"( : >> {path} ) 2>/dev/null && echo LEAKED; true"


def _lists(path: str) -> str:
    return f'[ -n "$(ls -A {path} 2>/dev/null)" ] && echo LEAKED'


def _python(text: str) -> str:
    return f"/usr/bin/python3 - <<'END' 2>&1\n{text}\nEND"


def _call(number: str, *arguments: str) -> str:
    """Make a system call by its number; a refusal by the walls is EPERM or ENOSYS."""
    return _python(
        "import ctypes\n"
        "libc = ctypes.CDLL(None, use_errno=True)\n"
        f"found = libc.syscall({number}, {', '.join(arguments) or '0'})\n"
        "print('LEAKED' if found >= 0 else ctypes.get_errno())"
    )


OUTSIDE = {
    "read a file beside the workspace": 'cat "$BESIDE/secret"',
    "read it by a relative path": "cat ../beside/secret",
    "write beside the workspace": 'echo x > "$BESIDE/new"',
    "overwrite beside the workspace": 'echo x > "$BESIDE/secret"',
    "rename the workspace's folder": 'mv "$PWD" "$BESIDE/moved" 2>/dev/null && echo LEAKED',
    "list our home": _lists('"$OURS"'),
    "read our key": _reads('"$OURS/config/secret_key"'),
    "read our master key": _reads('"$OURS/config/master_key"'),
    "list /root": _lists("/root"), "list /home": _lists("/home"), "list /run": _lists("/run"), "list /var": _lists("/var/lib"),
    "list /srv and /mnt": _lists("/srv /mnt"), "list /opt": _lists("/opt"), "list /boot": _lists("/boot"),
    "read shadow": _reads("/etc/shadow"), "read gshadow": _reads("/etc/gshadow"), "read sudoers": _reads("/etc/sudoers"),
    "read ssh keys": _reads("/etc/ssh/ssh_host_ed25519_key"), "read the machine id": _reads("/etc/machine-id"),
    "read container secrets": _reads("/run/secrets/master_key"), "read the project": _reads(f"{Path(__file__).resolve()}"),
    "write /etc": _writes("/etc/x"), "write /usr": _writes("/usr/x"), "write /bin": _writes("/usr/bin/ls"),
    "write the root": _writes("/x"), "write /dev": _writes("/dev/x"), "make a folder in the root": "mkdir /y 2>/dev/null && echo LEAKED",
    "remount the root": "mount -o remount,rw / 2>/dev/null && echo LEAKED",
    "read a disk": "for disk in /dev/vda /dev/sda /dev/nvme0n1; do head -c 1 $disk 2>/dev/null && echo LEAKED; done",
    "read memory": "for file in /dev/mem /dev/kmem /dev/port; do head -c 1 $file 2>/dev/null && echo LEAKED; done",
    "make a device": "mknod disk b 8 0 2>/dev/null && echo LEAKED",
}  # fmt: skip
LINKS = {
    "read through a link": 'ln -sf "$BESIDE/secret" link; cat link',
    "write through a link": 'ln -sf "$BESIDE/made" link; echo x > link',
    "read through a folder's link": 'ln -sfn "$BESIDE" folder; cat folder/secret',
    "a hard link outside": 'ln "$BESIDE/secret" hard 2>/dev/null && echo LEAKED',
    "a link to the root": "ln -sfn / root; ls root/root/* 2>/dev/null | grep -q . && echo LEAKED",
    "a link of proc": 'cat "/proc/self/root$BESIDE/secret"; cat "/proc/self/cwd/../beside/secret"',
    "swap a folder for a link while it is used": (
        'mkdir -p swap; ( for i in $(seq 200); do rm -rf swap; ln -sfn "$BESIDE" swap; rm -f swap; mkdir -p swap; done ) & '
        "for i in $(seq 200); do echo x > swap/raced; cat swap/secret; done 2>/dev/null; wait"
    ),
    "a mount over the workspace": 'mount --bind / "$PWD" 2>/dev/null && echo LEAKED',
}
PROC_SYS = {
    "see our processes": 'ls "/proc/$PARENT" 2>/dev/null && cat /proc/[0-9]*/cmdline | tr "\\0" " " | grep -q celery && echo LEAKED',
    "see our environment": 'cat /proc/*/environ 2>/dev/null | tr "\\0" "\\n" | grep -E "^(DATABASE_URL|REDIS_URL|SPACEBOT_)" && echo LEAKED',
    "more processes than ours": '[ "$(ls -d /proc/[0-9]* | wc -l)" -gt 12 ] && echo LEAKED',
    "the root of process 1": 'cat "/proc/1/root$BESIDE/secret" 2>/dev/null',
    "read kernel memory": _reads("/proc/kcore"), "read kernel messages": "head -c 1 /proc/kmsg 2>/dev/null | grep -q . && echo LEAKED",
    "write a kernel setting": _opens("/proc/sys/kernel/hostname"), "write the core pattern": _opens("/proc/sys/kernel/core_pattern"),
    "write sysrq": _opens("/proc/sysrq-trigger"), "write forwarding": _opens("/proc/sys/net/ipv4/ip_forward"),
    "list /sys": _lists("/sys"), "write control groups": "mkdir /sys/fs/cgroup/x 2>/dev/null && echo LEAKED",
    "write anything of the kernel's": "find /proc -maxdepth 4 -not -path '/proc/[0-9]*' -type f -writable 2>/dev/null | grep -q . && echo LEAKED; true",
    "write the score of memory": "echo -1000 > /proc/self/oom_score_adj 2>/dev/null && echo LEAKED; true",
    "read other mounts": 'grep -q "$OURS" /proc/self/mountinfo && echo LEAKED; true',
}  # fmt: skip
_NEW = ("0x10000000", "0x00020000", "0x20000000", "0x40000000", "0x08000000", "0x04000000", "0x02000000")
KERNEL = {
    **{f"unshare {flag}": _python(f"import ctypes\nprint('LEAKED' if ctypes.CDLL(None).unshare({flag}) == 0 else 'held')") for flag in _NEW},
    "unshare by its tool": "unshare -Ur true 2>/dev/null && echo LEAKED; true",
    "clone a user namespace": _call("56 if __import__('platform').machine() == 'x86_64' else 220", "0x10000011", "0", "0", "0", "0"),
    "clone3 a user namespace": _call("435", "ctypes.byref((ctypes.c_uint64 * 11)(0x10000000, 0, 0, 0, 17))", "88"),
    "io_uring": _call("425", "8", "ctypes.byref((ctypes.c_uint32 * 30)())"),
    "open_tree": _call("428", "-100", "b'/'", "1"), "fsopen": _call("430", "b'tmpfs'", "0"),
    "pidfd_getfd": _call("438", "1", "0", "0"), "mount_setattr": _call("442", "-100", "b'/'", "0", "0", "0"),
    "ptrace a child": _python(
        "import ctypes, os, time\nchild = os.fork()\nif child == 0:\n    time.sleep(2)\n    os._exit(0)\n"
        "print('LEAKED' if ctypes.CDLL(None).ptrace(16, child, 0, 0) == 0 else 'held')\nos.kill(child, 9)"
    ),
    "ptrace oneself": _python("import ctypes\nprint('LEAKED' if ctypes.CDLL(None).ptrace(0, 0, 0, 0) == 0 else 'held')"),
    "become root": _python("import os\ntry:\n    os.setuid(0); print('LEAKED')\nexcept OSError: print('held')"),
    "run setuid programs": "su -c 'echo LEAKED' 2>/dev/null </dev/null; sudo -n echo LEAKED 2>/dev/null; true",
    "gain privileges": "grep -q '^NoNewPrivs:.1' /proc/self/status || echo LEAKED",
    "hold capabilities": "grep -Eq '^Cap(Eff|Prm|Bnd|Amb):.0{16}$' /proc/self/status && ! grep -Eq '^CapEff:.*[1-9a-f]' /proc/self/status || echo LEAKED",
    "be filtered by nothing": "grep -q '^Seccomp:.2' /proc/self/status || echo LEAKED",
    "type into a terminal": _python("import fcntl\ntry:\n    fcntl.ioctl(0, 0x5412, b'x'); print('LEAKED')\nexcept OSError: print('held')"),
    "change the clock": "date -s 2001-01-01 2>/dev/null && echo LEAKED; true",
    "change the host's name": "hostname owned 2>/dev/null && echo LEAKED; true",
    "load a module": _call("313 if __import__('platform').machine() == 'x86_64' else 273", "0", "b''", "0"),
    "leave the root": "chroot / true 2>/dev/null && echo LEAKED; true",
    "use the kernel's keys": _call("250 if __import__('platform').machine() == 'x86_64' else 219", "0", "-3", "1"),
    "count events": _call("298 if __import__('platform').machine() == 'x86_64' else 241", "ctypes.byref((ctypes.c_uint64 * 16)(0))", "0", "-1", "-1", "0"),
    "handle page faults": _call("323 if __import__('platform').machine() == 'x86_64' else 282", "0"),
    "load a program into the kernel": _call("321 if __import__('platform').machine() == 'x86_64' else 280", "0", "ctypes.byref((ctypes.c_uint64 * 16)(2))", "128"),
    "lift its own limits": _python("import resource\ntry:\n    resource.setrlimit(resource.RLIMIT_NOFILE, (1 << 20, 1 << 20)); print('LEAKED')\nexcept (OSError, ValueError): print('held')"),
}  # fmt: skip


def _socket(family: int, kind: int, act: str) -> str:
    return _python(
        f"import socket\ntry:\n    found = socket.socket({family}, {kind})\n    found.settimeout(2)\n    {act}\n    print('LEAKED')\nexcept OSError: print('held')"
    )


NETWORK = {
    "a public address": _socket(2, 1, "found.connect(('1.1.1.1', 443))"), "a name server": _socket(2, 2, "found.sendto(b'x', ('8.8.8.8', 53))"),
    "the metadata service": _socket(2, 1, "found.connect(('169.254.169.254', 80))"),
    "a private address": _socket(2, 1, "found.connect(('10.0.0.1', 80))"), "a v6 address": _socket(10, 1, "found.connect(('2606:4700::1111', 443))"),
    "the whole network": _socket(2, 2, "found.setsockopt(1, 6, 1); found.sendto(b'x', ('255.255.255.255', 9))"),
    "raw packets": _socket(2, 3, "pass"), "link-layer packets": _socket(17, 3, "pass"), "the hypervisor": _socket(40, 1, "pass"),
    "the kernel's ciphers": _socket(38, 5, "pass"), "Bluetooth": _socket(31, 3, "pass"),
    "other interfaces": "grep -Ev 'lo:|Inter|face' /proc/net/dev | grep -q : && echo LEAKED; true",
    "a name": "getent hosts example.com >/dev/null && echo LEAKED; true",
}  # fmt: skip
CONNECT = (
    "/usr/bin/python3 -c \"import socket; socket.create_connection(('127.0.0.1', {port}), 2); print('LEAKED')\" 2>/dev/null",
    "bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}' 2>/dev/null && echo LEAKED; true",
    "curl -s -m 2 telnet://localhost:{port} </dev/null 2>/dev/null && echo LEAKED; true",
)
UNIX = "/usr/bin/python3 -c \"import socket; socket.socket(socket.AF_UNIX).connect('{address}'); print('LEAKED')\" 2>/dev/null"
_FEW = Limits(processes=60)
_SMALL = Limits(
    file_bytes=20 * MB,
    disk_bytes=60 * MB,
    scratch_bytes=30 * MB,
    total_memory_bytes=150 * MB,
    memory_bytes=400 * MB,
)
BOMBS: dict[str, tuple[str, Limits, str]] = {
    "processes that stay": ("for i in $(seq 400); do sleep 20 & done; wait", _FEW, "processes"),
    "processes that fork on": (
        'f() { if [ "$1" -gt 0 ]; then f $(($1 - 1)) | f $(($1 - 1)) & fi; sleep 0.2; }; f 10; sleep 20', _FEW, "processes",
    ),
    "processes that detach": ("for i in $(seq 400); do setsid sleep 20 & done; sleep 20", _FEW, "processes"),
    "memory of one process": ("/usr/bin/python3 -c 'bytearray(600 << 20)'", _SMALL, ""),
    "memory of many processes": (
        "for i in 1 2 3 4; do /usr/bin/python3 -c 'import time; x = b\"x\" * (60 << 20); time.sleep(20)' & done; wait; false", _SMALL, "memory",
    ),
    "one file": ("head -c 100000000 /dev/zero > big", _SMALL, ""),
    "many files": ("for i in $(seq 20); do head -c 15000000 /dev/zero > f$i || exit 1; sleep 0.1; done", _SMALL, "disk"),
    "scratch space": ("for i in 1 2 3; do head -c 19000000 /dev/zero > /tmp/f$i || exit 1; done", _SMALL, ""),
    "shared memory": ("for i in 1 2 3; do head -c 19000000 /dev/zero > /dev/shm/f$i || exit 1; done", _SMALL, ""),
    "descriptors": (
        "/usr/bin/python3 -c 'found = [open(\"/dev/null\") for i in range(5000)]'", Limits(open_files=256), "",
    ),
    "output": ("yes", Limits(output_bytes=4 * MB), "output"),
    "output without lines": ("cat /dev/zero", Limits(output_bytes=4 * MB), "output"),
    "time of the processor": ("while :; do :; done", Limits(cpu_s=1), ""),
}  # fmt: skip
_DEAF = "trap '' TERM HUP INT QUIT;"
DETACH = {
    "ignores signals": f"{_DEAF} sleep MARK; sleep MARK",
    "a session of its own": f"setsid sh -c '{_DEAF.replace(chr(39), chr(34))} sleep MARK' & sleep 60",
    "detached twice": f"(setsid sh -c '{_DEAF.replace(chr(39), chr(34))} (setsid sleep MARK &) ; sleep MARK' &); sleep 60",
    "without output": "(setsid sleep MARK >/dev/null 2>&1 </dev/null &); sleep 60",
    "nohup": "nohup sleep MARK >/dev/null 2>&1 & sleep 60",
    "a new name": _python(
        "import os, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n        os.execv('/bin/sleep', ['MARK', 'MARK'])\n    os._exit(0)\ntime.sleep(60)"
    ),
}


def living(mark: str) -> list[int]:
    """Return the processes that are alive and carry a mark."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            words, stat = Path(f"/proc/{pid}/cmdline").read_bytes(), Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            continue
        if mark.encode() in words and stat.rpartition(")")[2].split()[0] != "Z":
            found.append(int(pid))
    return found
