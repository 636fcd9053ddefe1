# SPDX-License-Identifier: GPL-2.0-or-later
"""Interrupts lines at random moments. A line that was done has made its object, with the
right group; any other line has left nothing behind. Prints how many lines were done and how many
were interrupted.

ctl_interrupt.py MOUNT ROUNDS GID LINE...
"""
import ctypes
import errno
import os
import random
import signal
import sys
import time

mount, rounds, gid, lines = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]
libc = ctypes.CDLL(None, use_errno=True)
count = {0: 0, errno.EINTR: 0}


def start(line):
    """Starts a process that writes the line. Its exit status is the error."""
    ready, is_ready = os.pipe()
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGINT, lambda *_: None)
        fd = os.open(mount + "/ctl", os.O_WRONLY)
        os.write(is_ready, b".")
        os._exit(0 if libc.write(fd, line, len(line)) == len(line) else ctypes.get_errno())
    os.read(ready, 1)
    os.close(ready)
    os.close(is_ready)
    return pid


def is_gone(path):
    """Whether the path goes in time: the process or thread at work may still have to be undone, or
    may even begin only now. What the caller sees is what remains in the end."""
    end = time.monotonic() + 5
    while os.path.lexists(path):
        if time.monotonic() > end:
            return False
        time.sleep(0.001)
    return True


for _ in range(rounds):
    line = random.choice(lines)
    name = line.split()[1]
    pid = start(line.encode())
    time.sleep(random.random() ** 2 * 0.004)
    os.kill(pid, signal.SIGINT)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    count[status] += 1
    path = os.path.join(mount, name)
    if status == 0:
        if os.stat(path).st_gid != gid:
            sys.exit(f"{line}: group {os.stat(path).st_gid}")
        with open(mount + "/ctl", "wb", buffering=0) as ctl:
            ctl.write(b"remove " + name.encode())
    elif not is_gone(path):
        sys.exit(f"{line}: interrupted, and there")
print("done", count[0], "interrupted", count[errno.EINTR])
