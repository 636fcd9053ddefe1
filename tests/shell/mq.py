#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""POSIX message queues as a native program sees them: straight through the C library.

  mq.py create NAME [MAXMSG MSGSIZE]   send NAME TEXT [PRIO]   receive NAME   attr NAME   unlink NAME

send adds a newline, as echo does; receive prints `PRIO TEXT`; attr prints `MAXMSG MSGSIZE CURMSGS`.
Nothing waits: a call that would wait fails with EAGAIN. Errors go to stderr, with status 1.
"""
import ctypes
import os
import sys

libc = ctypes.CDLL(None, use_errno=True)  # librt before glibc 2.34
if not hasattr(libc, "mq_open"):
    libc = ctypes.CDLL("librt.so.1", use_errno=True)
libc.mq_receive.restype = ctypes.c_ssize_t


class Attr(ctypes.Structure):
    _fields_ = [(name, ctypes.c_long) for name in ("flags", "maxmsg", "msgsize", "curmsgs")]


class AttrBuf(ctypes.Structure):
    _fields_ = [("attr", Attr), ("reserved", ctypes.c_long * 4)]


def check(result):
    if result < 0:
        sys.exit(os.strerror(ctypes.get_errno()))
    return result


def attr_of(queue):
    buf = AttrBuf()
    check(libc.mq_getattr(queue, ctypes.byref(buf)))
    return buf.attr


def main(verb, name, *rest):
    path = b"/" + os.fsencode(name)
    if verb == "unlink":
        check(libc.mq_unlink(path))
        return
    if verb == "create":
        buf = AttrBuf(Attr(0, int(rest[0]), int(rest[1]))) if rest else None
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL
        check(libc.mq_open(path, flags, 0o600, ctypes.byref(buf) if buf else None))
        return
    queue = check(libc.mq_open(path, os.O_RDWR | os.O_NONBLOCK))
    if verb == "send":
        text = os.fsencode(rest[0]) + b"\n"
        check(libc.mq_send(queue, text, ctypes.c_size_t(len(text)), int(rest[1]) if rest[1:] else 0))
    elif verb == "receive":
        size = attr_of(queue).msgsize
        text, priority = ctypes.create_string_buffer(size), ctypes.c_uint()
        got = check(libc.mq_receive(queue, text, ctypes.c_size_t(size), ctypes.byref(priority)))
        sys.stdout.buffer.write(b"%d %s" % (priority.value, text.raw[:got]))
    elif verb == "attr":
        attr = attr_of(queue)
        print(attr.maxmsg, attr.msgsize, attr.curmsgs)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(*sys.argv[1:]) if len(sys.argv) > 2 else sys.exit(__doc__)
