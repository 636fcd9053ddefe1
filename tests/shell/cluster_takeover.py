#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Four writers and four readers each of a queue and of a topic, whose daemons are killed.

  cluster_takeover.py A B SUPERVISOR-OF-A SUPERVISOR-OF-B   cluster/ in two mounts

A message of the queue may come twice if a daemon was killed while it was on its way, and only then.
"""
import collections
import os
import random
import signal
import subprocess
import sys
import tempfile
import time

WORKERS = 4
KILLS = 20
WITHIN = 40
SIZE = 16
A, B, *SUPERVISORS = sys.argv[1:]
children = {}


def start(work, *args):
    name = f"{work.__name__}-{'-'.join(args[0].split('/')[-2:])}-{args[1]}"
    pid = os.fork()
    if pid == 0:
        children.clear()
        try:
            work(name, *args)
            os._exit(0)
        except Exception as error:  # not to the parent's part of the program
            os.write(2, f"{name}: {error!r}\n".encode())
            os._exit(1)
    children[pid] = name
    return name


def write(log, path, who):
    """Writes until told to stop, and notes how many messages it has written."""
    target = os.open(path, os.O_WRONLY)
    n = 0
    while not os.path.exists("stop"):
        assert os.write(target, b"%d %013d\n" % (who, n)) == SIZE
        n += 1
        time.sleep(0.001)
    with open(log, "w", encoding="ascii") as notes:
        notes.write(str(n))


def read(log, path, who):
    source = os.open(path, os.O_RDONLY)
    notes = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    open(log + ".open", "w", encoding="ascii").close()
    while True:
        message = b""
        while len(message) < SIZE:  # one half of them in pieces
            message += os.read(source, SIZE if who % 2 else 10)
        assert len(message) == SIZE and message[-1:] == b"\n", message
        os.write(notes, message)


def messages_of(log):
    with open(log, "rb") as file:
        return file.read().splitlines()


def serving(supervisor):
    out = subprocess.run(["ps", "--ppid", supervisor, "-o", "pid=,comm="], stdout=subprocess.PIPE, check=False).stdout
    return next((int(line.split()[0]) for line in out.decode().splitlines() if line.split()[1:] == ["ipcfs"]), 0)


def kill_daemons():
    for n in range(KILLS):
        time.sleep(random.uniform(0.05, 0.2))
        pid = serving(SUPERVISORS[n % 2])
        if pid:
            os.kill(pid, signal.SIGKILL)


def reap(name, until):
    """Waits until all children of this name have ended."""
    while any(child.startswith(name) for child in children.values()):
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid and status:
            sys.exit(f"{children[pid]} has failed")
        children.pop(pid, None)
        assert time.monotonic() < until, f"these wait for ever: {children}"
        time.sleep(0.01)


def await_all(done, until):
    while not done():
        assert time.monotonic() < until, "messages are missing"
        time.sleep(0.05)


def main():
    os.chdir(tempfile.mkdtemp(dir=os.environ.get("BATS_TEST_TMPDIR")))
    until = time.monotonic() + WITHIN
    readers = {kind: [start(read, f"{B}/{kind}/load", who) for who in range(WORKERS)] for kind in ("queues", "topics")}
    await_all(lambda: all(os.path.exists(log + ".open") for logs in readers.values() for log in logs), until)
    writers = {kind: [start(write, f"{A}/{kind}/load", who) for who in range(WORKERS)] for kind in readers}
    kill_daemons()
    open("stop", "w", encoding="ascii").close()
    reap("write", until)
    expected = {}
    for kind, logs in writers.items():
        counts = [int(open(log, encoding="ascii").read()) for log in logs]
        expected[kind] = [b"%d %013d" % (who, n) for who in range(WORKERS) for n in range(counts[who])]
    wanted = set(expected["queues"])
    await_all(lambda: {m for log in readers["queues"] for m in messages_of(log)} == wanted, until)
    await_all(lambda: all(len(messages_of(log)) >= len(expected["topics"]) for log in readers["topics"]), until)
    for pid in children:
        assert os.waitpid(pid, os.WNOHANG)[0] == 0, f"{children[pid]} has failed"
    for log in readers["topics"]:
        by_writer = sorted(messages_of(log), key=lambda message: message.split()[0])  # keeps their order
        assert by_writer == expected["topics"], f"{log}: {len(by_writer)} instead of {len(expected['topics'])}"
    times = collections.Counter(m for log in readers["queues"] for m in messages_of(log))
    twice = sum(n - 1 for n in times.values())
    print(f"{KILLS} daemons killed; {len(wanted)} messages in the queue, {twice} came twice; "
          f"{len(expected['topics'])} in the topic, to each of {WORKERS} readers once")
    assert twice <= KILLS * WORKERS, "too many came twice"


try:
    main()
finally:
    for child in children:
        try:
            os.kill(child, signal.SIGKILL)
        except ProcessLookupError:
            pass
