#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Four writers, four readers, and a killer.

  cluster_load.py WRITE READ [COUNT]   the same queue, by its paths on two machines

Each reader takes all but the last byte of a message, notes it, and then reads that byte: only then
has the queue handed the message over. So a message of a reader that is killed is noted, or comes
again, or both, and no other may come twice.
"""
import os
import random
import signal
import sys
import tempfile
import time

SIZE = 16
WORKERS = 4
WRITE, READ = sys.argv[1:3]
COUNT = int(sys.argv[3] if len(sys.argv) > 3 else os.environ.get("IPCFS_TEST_MESSAGES", 100000)) // WORKERS


children = set()


def start(work, *args):
    pid = os.fork()
    if pid == 0:
        children.clear()
        try:
            work(*args)
            os._exit(0)
        except Exception as error:  # not to the parent's part of the program
            os.write(2, f"{work.__name__}: {error!r}\n".encode())
            os._exit(1)
    children.add(pid)
    return pid


def write(who):
    queue = os.open(WRITE, os.O_WRONLY)
    for n in range(COUNT):
        assert os.write(queue, b"%d %013d\n" % (who, n)) == SIZE


def read(log):
    queue = os.open(READ, os.O_RDONLY)
    notes = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    while True:
        message = os.read(queue, SIZE - 1)
        assert len(message) == SIZE - 1, message
        os.write(notes, message + b"\n")
        assert os.read(queue, 1) == b"\n"


def notes_of(log):
    with open(log, "rb") as file:
        return file.read().splitlines()


def main():
    started = time.monotonic()
    os.chdir(tempfile.mkdtemp(dir=os.environ.get("BATS_TEST_TMPDIR")))
    readers, logs, killed = {}, [], []

    def new_reader():
        logs.append(f"log{len(logs)}")
        open(logs[-1], "wb").close()
        readers[start(read, logs[-1])] = logs[-1]

    for _ in range(WORKERS):
        new_reader()
    writers = [start(write, who) for who in range(WORKERS)]
    until = started + 150
    while sum(os.path.getsize(log) for log in logs) < WORKERS * COUNT * SIZE and time.monotonic() < until:
        time.sleep(random.uniform(0.1, 0.4))
        for pid in writers:
            done, status = os.waitpid(pid, os.WNOHANG)
            if done and status:
                sys.exit("a writer has failed")
            if done:
                children.discard(pid)
                writers = [other for other in writers if other != pid]
        pid = random.choice(list(readers))
        os.kill(pid, signal.SIGKILL)
        status = os.waitpid(pid, 0)[1]
        if not os.WIFSIGNALED(status):
            sys.exit("a reader has failed")
        killed.append(readers.pop(pid))
        children.discard(pid)
        new_reader()
    for pid in writers:
        if os.waitpid(pid, 0)[1]:
            sys.exit("a writer has failed")
        children.discard(pid)
    # Messages that were noted twice may hide others that have not come yet.
    expected = {b"%d %013d" % (who, n) for who in range(WORKERS) for n in range(COUNT)}
    seen = set()
    while seen != expected and time.monotonic() < until:
        time.sleep(0.2)
        seen = {message for log in logs for message in notes_of(log)}
    for pid in readers:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        children.discard(pid)
    messages = [message for log in logs for message in notes_of(log)]
    twice = len(messages) - len(set(messages))
    in_flight = {notes_of(log)[-1] for log in killed if notes_of(log)}
    times = {}
    for message in messages:
        times[message] = times.get(message, 0) + 1
    unexpected = [message for message, n in times.items() if n > 1 and message not in in_flight]
    print(f"{len(messages)} messages in {time.monotonic() - started:.1f} s, {len(killed)} readers killed, "
          f"{twice} messages came twice, {len(expected - set(messages))} lost")
    assert set(messages) == expected, "lost: " + repr(sorted(expected - set(messages))[:5])
    assert not unexpected, "twice, although nobody was killed with them: " + repr(unexpected[:5])


try:
    main()
finally:
    for child in children:
        try:
            os.kill(child, signal.SIGKILL)
        except ProcessLookupError:
            pass
