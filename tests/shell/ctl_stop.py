# SPDX-License-Identifier: GPL-2.0-or-later
"""Stops the process that the daemon has make a queue for us, which we are allowed to, as soon as it
is there; prints its number, and the writer's; and when the writer has ended, what became of the line:
"all", or the name of the error. It is gone quickly, so the queue is removed and made anew until we
catch it.

ctl_stop.py CTL DAEMON NAME [KEY=VALUE...]
"""
import ctypes
import errno
import os
import signal
import sys
import time

ctl, daemon, name = sys.argv[1], sys.argv[2], sys.argv[3]
children = open(f"/proc/{daemon}/task/{daemon}/children", "rb", buffering=0)
line = " ".join([f"create queues/{name}", *sys.argv[4:]]).encode()
libc = ctypes.CDLL(None, use_errno=True)


def write():
    """In a process of its own, which SIGINT does not end: its exit status is the error."""
    signal.signal(signal.SIGINT, lambda *_: None)
    fd = os.open(ctl, os.O_WRONLY)
    os._exit(0 if libc.write(fd, line, len(line)) == len(line) else ctypes.get_errno())


def is_stopped(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        return file.read().rpartition(")")[2].split()[0] == "T"


def try_to_stop(writer):
    """The number of the stopped process, or None: the writer has ended."""
    while os.waitid(os.P_PID, writer, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        children.seek(0)
        for pid in map(int, children.read().split()):
            try:
                os.kill(pid, signal.SIGSTOP)
                time.sleep(0.01)
                if is_stopped(pid):
                    return pid
            except (PermissionError, ProcessLookupError, FileNotFoundError):
                pass  # it is not ours yet, or gone
    return None


for _ in range(2000):
    pid = os.fork()
    if pid == 0:
        write()
    stopped = try_to_stop(pid)
    if stopped:
        print("stopped", stopped, "writer", pid, flush=True)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        print(errno.errorcode[status] if status else "all")
        sys.exit()
    os.waitpid(pid, 0)
    with open(ctl, "wb", buffering=0) as file:
        file.write(b"remove queues/" + name.encode())
sys.exit("it was never caught")
