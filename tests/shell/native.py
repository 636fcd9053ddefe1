#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A native user of channels, which then waits. Each argument is one thing to have open.

  mq:r|w|rw:NAME   a message queue, through the C library
  shm:r|rw:PATH    a mapping of the file, whose descriptor is closed again
  fd:r|w|rw:PATH   a descriptor, without waiting for anybody else to open the file

It writes "ready" to stdout when it has all of them open.
"""
import ctypes
import mmap
import os
import signal
import sys

MODES = {"r": os.O_RDONLY, "w": os.O_WRONLY, "rw": os.O_RDWR}
libc = ctypes.CDLL(None, use_errno=True)
if not hasattr(libc, "mq_open"):
    libc = ctypes.CDLL("librt.so.1", use_errno=True)

for way, mode, name in (argument.split(":", 2) for argument in sys.argv[1:]):
    if way == "mq":
        if libc.mq_open(b"/" + os.fsencode(name), MODES[mode]) < 0:
            sys.exit(os.strerror(ctypes.get_errno()))
        continue
    fd = os.open(name, MODES[mode] | os.O_NONBLOCK)
    if way == "shm":
        # Through the C library's mmap: Python's own keeps a descriptor.
        protection = mmap.PROT_READ | (mmap.PROT_WRITE if mode == "rw" else 0)
        libc.mmap.restype = ctypes.c_void_p
        at = libc.mmap(None, ctypes.c_size_t(4096), protection, mmap.MAP_SHARED, fd, ctypes.c_long(0))
        if at in (None, ctypes.c_void_p(-1).value):
            sys.exit(os.strerror(ctypes.get_errno()))
        os.close(fd)
print("ready", flush=True)
signal.pause()
