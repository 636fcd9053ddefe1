# SPDX-License-Identifier: GPL-2.0-or-later
"""Stops the process that makes a queue for us on behalf of the daemon, as soon as it exists. We are
allowed to stop it. Prints the name of the error that the line then gets. The process ends quickly,
so the queue is removed and made again until we catch the process in time.

ctl_stop.py CTL DAEMON NAME [KEY=VALUE...]
"""
import ctypes
import errno
import os
import signal
import sys

ctl, daemon, name = sys.argv[1], sys.argv[2], sys.argv[3]
children = open(f"/proc/{daemon}/task/{daemon}/children", "rb", buffering=0)
line = " ".join([f"create queues/{name}", *sys.argv[4:]]).encode()
libc = ctypes.CDLL(None, use_errno=True)


def write():
    """Runs in a child process. Its exit status is the error."""
    fd = os.open(ctl, os.O_WRONLY)
    os._exit(0 if libc.write(fd, line, len(line)) == len(line) else ctypes.get_errno())


def stop(writer):
    """Stops what it may until the writer has ended, and returns the writer's exit status."""
    while os.waitid(os.P_PID, writer, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        children.seek(0)
        for pid in map(int, children.read().split()):
            try:
                os.kill(pid, signal.SIGSTOP)
            except (PermissionError, ProcessLookupError):
                pass  # it is not ours yet, or has gone
    return os.waitstatus_to_exitcode(os.waitpid(writer, 0)[1])


for _ in range(2000):
    pid = os.fork()
    if pid == 0:
        write()
    status = stop(pid)
    if status:
        sys.exit(print(errno.errorcode[status]))
    with open(ctl, "wb", buffering=0) as file:
        file.write(b"remove queues/" + name.encode())
sys.exit("it was never caught")
