# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes one write(2) and prints its result: "all", the number of bytes if it was less than all, or
the name of the error. SIGINT does not end the program, only the call.

ctl_write.py PATH|DESCRIPTOR TEXT
"""
import ctypes
import errno
import os
import signal
import sys

signal.signal(signal.SIGINT, lambda *_: None)
where, text = sys.argv[1], os.fsencode(sys.argv[2])
fd = int(where) if where.isdigit() else os.open(where, os.O_WRONLY)
libc = ctypes.CDLL(None, use_errno=True)
written = libc.write(fd, text, len(text))
if written == len(text):
    print("all")
else:
    print(errno.errorcode[ctypes.get_errno()] if written < 0 else written)
