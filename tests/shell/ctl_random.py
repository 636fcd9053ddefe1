#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes random lines to $IPC/ctl: ctl_random.py N [SEED].

Each is accepted, or refused and then explained by ctl. There must be enough of both. The names are
$NAME's, and what the lines make is removed at the end.
"""
import os
import random
import sys

ctl = os.environ["IPC"] + "/ctl"
name = os.environ["NAME"]
seed = int(sys.argv[2]) if sys.argv[2:] else random.randrange(1 << 32)
print("seed", seed)
rng = random.Random(seed)

NUMBERS = ["0", "1", "8", "4095", "4096", "4K", "64K", "1M", "3G", "-1", "", "1k", "0x10", "99999999999999999999"]
KEYS = {
    "mode": ["0600", "600", "0", "777", "888", "", "rw", "07777", "-1"],
    "owner": ["0", "root", "65534", "nobody", "nosuch", "", "-1", "4294967295"],
    "group": ["0", "root", "65534", "nogroup", "nosuch", "", "99999999999"],
    "capacity": NUMBERS, "size": NUMBERS, "maxmsg": NUMBERS, "msgsize": NUMBERS,
    "eof": ["auto", "never", "", "often"],
}


def word():
    length = rng.choice([0, 1, 3, 20, 300, 2000])
    return bytes(rng.choice(b"abc/.=:#\\\"' \t\r%\x01\x7f\x80\xff\xc3\xa9") for _ in range(length))


def key():
    k = rng.choice(list(KEYS))
    return f"{k}={rng.choice(KEYS[k])}".encode()


def sensible():
    verb = rng.choice([b"create pipes/", b"create queues/", b"create shm/", b"remove pipes/", b"remove queues/", b"remove shm/"])
    return verb + os.fsencode(f"{name}.{rng.randrange(3)}\n")


def line():
    # Hardly anything that is wholly random is accepted.
    if rng.random() < 0.25:
        return sensible()
    verb = rng.choice([b"create", b"create", b"set", b"remove", b"remove", b"crate", b""])
    kind = rng.choice([b"pipes/", b"queues/", b"shm/", b"shm/", b"pipes/", b"sems/", b"info/", b"pipes"])
    path = kind + os.fsencode(f"{name}.{rng.randrange(3)}{rng.choice(['', '', ':3', ':99999999'])}")
    words = [verb, path] + [key() for _ in range(rng.choice([0, 0, 1, 1, 2, 40]))]
    for _ in range(rng.choice([0, 0, 0, 0, 1, 2])):
        words.insert(rng.randrange(len(words) + 1), word())
    text = rng.choice([b" ", b" ", b"\t", b"  "]).join(words)
    if rng.random() < 0.03:
        text += b"\0"
    return text.replace(b"\n", b"") + rng.choice([b"\n", b""])


def error():
    with open(ctl, "rb") as file:
        _, found, text = file.read().partition(b"# Your last error:\nline 1: ")
    return text.rstrip(b"\n") if found else b""


def write(text):
    fd = os.open(ctl, os.O_WRONLY)
    try:
        return os.write(fd, text) == len(text)
    except OSError:
        return False
    finally:
        os.close(fd)


done = refused = 0
for i in range(int(sys.argv[1])):
    text = line()
    if not text:
        continue
    if write(text):
        done += 1
        if error():
            sys.exit(f"{text!r} was done, but ctl says {error()!r}")
    else:
        refused += 1
        if len(error()) < 5:
            sys.exit(f"{text!r} was refused, and ctl says {error()!r}")
for kind in "pipes", "queues", "shm":
    for i in range(3):
        write(os.fsencode(f"remove {kind}/{name}.{i}\n"))
        if os.path.lexists(f"{os.environ['IPC']}/{kind}/{name}.{i}"):
            sys.exit(f"{kind}/{name}.{i} is left")
print("done", done, "refused", refused)
if done < 50 or refused < 500:
    sys.exit("too few of either")
