#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes and uses channels, mostly as a native program does, and then waits. Each argument is a step:

  make:KIND:NAME   makes the object and has nothing of it open (of posix kinds: has it open)
  open:KIND:NAME   has it open          map:KIND:NAME    has it mapped, and no descriptor
  wait:KIND:NAME   waits for something to come, which must be the last step

KIND is shm, sems, queues (NAME without a slash), sysv/shm, sysv/queues, sysv/sems (NAME is the key), or
fifo, socket, file (NAME is a path). It writes "ready" to stdout when all but the last are done.
"""
import ctypes
import os
import signal
import socket
import sys

libc = ctypes.CDLL(None, use_errno=True)  # librt before glibc 2.34
posix = libc if hasattr(libc, "mq_open") else ctypes.CDLL("librt.so.1", use_errno=True)
sems = libc if hasattr(libc, "sem_open") else ctypes.CDLL("libpthread.so.0", use_errno=True)
for call in (libc.mmap, libc.shmat, sems.sem_open):
    call.restype = ctypes.c_void_p
RDWR, CREATE, IPC_CREATE = os.O_RDWR, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o3600
HELD = []  # what must not be collected


def check(result):
    if result in (None, -1, ctypes.c_void_p(-1).value):
        sys.exit(os.strerror(ctypes.get_errno()))
    return result


def region(path, flags):
    fd = os.open(path, flags, 0o600)
    if flags & os.O_CREAT:
        os.write(fd, bytes(4096))
    return fd


def mapped(fd):  # through the C library: Python's own mmap keeps a descriptor
    check(libc.mmap(None, ctypes.c_size_t(4096), 1, 1, fd, ctypes.c_long(0)))
    os.close(fd)


def shm(verb, name):
    fd = region("/dev/shm/" + name, CREATE if verb == "make" else RDWR)
    if verb == "map":
        mapped(fd)


def semaphore(verb, name):
    if verb == "open":
        return region("/dev/shm/sem." + name, RDWR)
    found = check(sems.sem_open(b"/" + os.fsencode(name), CREATE & ~RDWR if verb == "make" else 0, 0o600, 0))
    if verb == "wait":
        ready()
        check(sems.sem_wait(ctypes.c_void_p(found)))
    return found


def queue(verb, name):
    fd = check(posix.mq_open(b"/" + os.fsencode(name), CREATE if verb == "make" else RDWR, 0o600, None))
    if verb == "wait":
        ready()
        check(posix.mq_receive(fd, ctypes.create_string_buffer(1 << 16), ctypes.c_size_t(1 << 16), None))


def sysv_shm(verb, key):
    segment = check(libc.shmget(int(key, 16), ctypes.c_size_t(4096 if verb == "make" else 0),
                                IPC_CREATE if verb == "make" else 0))
    if verb == "map":
        check(libc.shmat(segment, None, 0))


def sysv_queue(verb, key):
    found = check(libc.msgget(int(key, 16), IPC_CREATE if verb == "make" else 0))
    if verb == "wait":
        ready()
        check(libc.msgrcv(found, ctypes.create_string_buffer(1 << 14), ctypes.c_size_t(1 << 13),
                          ctypes.c_long(0), 0))


def sysv_set(verb, key):
    found = check(libc.semget(int(key, 16), 2, IPC_CREATE if verb == "make" else 0))
    if verb == "wait":
        ready()
        check(libc.semop(found, (ctypes.c_short * 3)(1, -1, 0), ctypes.c_size_t(1)))


def fifo(verb, path):
    if verb == "make":
        os.mkfifo(path, 0o600)
    else:
        os.open(path, os.O_RDWR)


def bound(verb, path):
    sock = socket.socket(socket.AF_UNIX)
    sock.bind(path)
    sock.listen()
    HELD.append(sock)


def file(verb, path):
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL if verb == "make" else os.O_RDWR, 0o600)
    if verb == "make":
        os.close(fd)


def ready():
    print("ready", flush=True)


KINDS = {"shm": shm, "sems": semaphore, "queues": queue, "sysv/shm": sysv_shm, "sysv/queues": sysv_queue,
         "sysv/sems": sysv_set, "fifo": fifo, "socket": bound, "file": file}
for step, kind, what in (argument.split(":", 2) for argument in sys.argv[1:]):
    KINDS[kind](step, what)
ready()
signal.pause()
