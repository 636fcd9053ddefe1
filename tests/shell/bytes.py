#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Names with every possible byte in them, wherever a user chooses a name.

  bytes.py make DIRECTORY  makes objects of all kinds in the mount at $IPC, sockets in DIRECTORY and
                           processes, says "ready" and waits
  bytes.py inventory       checks inventory.json against the listings of info/
  bytes.py index           checks that index.html has the names of inventory.json
  bytes.py status          checks that each status has the lines of a harmless object, and no more
  bytes.py metrics         checks metrics with a parser of OpenMetrics
  bytes.py text            checks what is meant for people
  bytes.py address         checks the addresses of servers
  bytes.py ctl             checks what ctl says about lines with any byte in any word
  bytes.py lines           prints such lines
"""
import collections
import ctypes
import json
import os
import signal
import socket
import sys

IPC, NAME = os.fsencode(os.environ["IPC"]), os.fsencode(os.environ["NAME"])
KINDS = ["pipes", "queues", "sems", "shm", "events", "sockets/servers", "sockets/abstract", "sockets/unix"]
EVERY = bytes(range(1, 256))
# A harmless name, one that would be several lines, one with characters that terminals obey, and so
# on.
ODD = [b"plain", b"q\nowner 0\nmode 0777\n{}\\x0a\"}", "\x9b31m\u202e\u2028\xfc&amp;".encode(), b" first", b"last "]


def pieces(size, but=b""):
    some = bytes(byte for byte in EVERY if byte not in but)
    return [some[i:i + size] for i in range(0, len(some), size)]


def octal(text):
    """Returns the text in the form in which ctl takes any byte."""
    return b"".join(b"\\%03o" % byte for byte in text)


def path(kind, name):
    return os.path.join(IPC, kind.encode(), name)


def make_files():
    for kind, size in ("pipes", 1), ("shm", 1), ("events", 8), ("sems", 8), ("queues", 200):
        # The kernel charges queues to their user, and allows only a few.
        for piece in (ODD[:2] if kind == "queues" else ODD) + pieces(size, b"/"):
            os.close(os.open(path(kind, NAME + b"." + piece), os.O_RDWR | os.O_CREAT, 0o600))


def make_servers(directory):
    for piece in ODD + pieces(16, b"/"):
        os.mkdir(path("sockets/servers", NAME + b"." + piece))
    addresses = [b"abstract:" + NAME + piece for piece in pieces(16)]
    addresses += [b"unix:" + directory + b"/v" + piece for piece in pieces(16, b"/")]
    for i, address in enumerate(addresses):
        with open(IPC + b"/ctl", "wb", buffering=0) as ctl:
            ctl.write(b"create sockets/servers/%s.listen%d listen=%s\n" % (NAME, i, octal(address)))


def make_connections(directory):
    """Makes native servers, a connection to each, and one to each of the mount's servers."""
    kept = []
    addresses = [b"\0" + NAME + b"a" + piece for piece in [b"plain"] + pieces(16)]
    addresses += [directory + b"/c" + piece for piece in [b"plain"] + pieces(16, b"/")]
    for address in addresses:
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(address)
        listening.listen()
        if address[0]:
            file = path("sockets/unix", address[1:])
        else:
            plain = lambda c: c > 0x20 and c not in b"\x7f/%"
            name = b"".join(bytes([c]) if plain(c) else b"%%%02X" % c for c in address[1:])
            file = path("sockets/abstract", name)
        kept += [listening, os.open(file, os.O_RDWR)]
    for name in os.listdir(path("sockets/servers", b"")):
        kept.append(os.open(path("sockets/servers", name + b"/connect"), os.O_RDWR))
    return kept


def make_processes():
    """Makes processes that have the plain pipe open."""
    for piece in pieces(15):
        ready = os.pipe()
        if os.fork() == 0:
            fd = os.open(path("pipes", NAME + b".plain"), os.O_RDWR)
            ctypes.CDLL(None).prctl(15, piece, 0, 0, 0)  # PR_SET_NAME
            ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG
            os.write(ready[1], b"%d" % fd)
            signal.pause()
        os.read(ready[0], 10)


def make(directory):
    make_files()
    make_servers(os.fsencode(directory))
    kept = make_connections(os.fsencode(directory))
    make_processes()
    print("ready", flush=True)
    signal.pause()
    del kept


def read(name):
    with open(IPC + b"/info/" + name.encode(), "rb") as file:
        return file.read().decode("utf-8", "strict")


def check_names(names):
    for kind, found in names.items():
        assert len(found) == len(set(found)), (kind, [n for n in found if found.count(n) > 1])
        assert all(name.isprintable() for name in found), (kind, found)


def inventory():
    names = collections.defaultdict(list)
    for entry in json.loads(read("inventory.json")):
        names[entry["kind"]].append(entry["name"])
        assert all(isinstance(entry[key], int) for key in ("owner", "group", "readers")), entry
        if "listen" in entry:
            assert entry["listen"].isprintable(), entry
    check_names(names)
    for kind in KINDS:
        listed = os.listdir(path("info", kind.encode()))
        assert len(names[kind]) == len(listed) >= 4, (kind, len(names[kind]), len(listed))
    print(sum(map(len, names.values())))


def index():
    page = read("index.html")
    data = page.split('id="data">')[1].split("</script>")[0]
    assert "<" not in data and ">" not in data and "&" not in data, data
    name = lambda entry: (entry["kind"], entry["name"])
    names = sorted(map(name, json.loads(data)["channels"]))
    assert names == sorted(map(name, json.loads(read("inventory.json")))), names
    commands = [process["command"] for process in json.loads(data)["processes"]]
    assert all(command.isprintable() for command in commands), commands
    assert len(commands) >= len(pieces(15)), commands
    print(len(names))


def keys(kind, name):
    with open(path("info/" + kind, name + b"/status"), "rb") as file:
        text = file.read().decode("utf-8", "strict")
    assert text.endswith("\n") and text.replace("\n", "").isprintable(), (kind, name, text)
    return [line.split(" ")[0] for line in text[:-1].split("\n")]


def status():
    n = 0
    for kind in KINDS:
        listed = os.listdir(path("info", kind.encode()))
        # A connection is recognised by its number.
        number = lambda name: name.rsplit(b"#", 1)[-1].isdigit()
        known = {number(name): keys(kind, name) for name in listed if b"plain" in name}
        assert known, kind
        for name in listed:
            assert keys(kind, name) == known[number(name)], (kind, name, keys(kind, name))
            n += 1
    print(n)


def metrics():
    from prometheus_client.openmetrics import parser
    text = read("metrics")
    assert text.replace("\n", "").isprintable()
    names = collections.defaultdict(list)
    for family in parser.text_string_to_metric_families(text):
        for sample in family.samples:
            if "name" not in sample.labels:  # of the whole mount
                continue
            names[sample.name + sample.labels["kind"]].append(sample.labels["name"])
    check_names(names)
    for entry in json.loads(read("inventory.json")):  # both use the same name
        assert entry["name"] in names["ipcfs_readers" + entry["kind"]], entry
    print(sum(map(len, names.values())))


def text():
    lines = read("summary").split("\n")
    assert all(line.isprintable() for line in lines), lines
    assert len(lines) == 2 + len(json.loads(read("inventory.json"))), len(lines)
    peers = read("pipes/" + os.environ["NAME"] + ".plain/peers")
    lines = peers.split("\n")
    assert all(line.isprintable() for line in lines), lines
    assert all(line.split(" ")[1:3] == ["0", "rw"] for line in lines[:-1]), lines
    shown = [line.split(" ", 3)[3] for line in lines[:-1]]
    assert len(set(shown)) == len(shown) == len(pieces(15)), shown
    print(len(shown))


def address():
    found = []
    for name in os.listdir(path("sockets/servers", b"")):
        with open(path("sockets/servers", name + b"/address"), "rb") as file:
            text = file.read().decode("utf-8", "strict")
        assert text.endswith("\n") and text[:-1].isprintable(), (name, text)
        found.append(text)
    assert len(set(found)) == len(found), found
    print(len(found))


def wrong_lines():
    """Yields lines with every byte in every place where a word can be."""
    for form in (b"create pipes/%s/x", b"%s pipes/x", b"create %s/x", b"create pipes/x %s=1", b"set pipes/%s eof=auto",
                 b"create queues/x maxmsg=%s", b"create pipes/x owner=%s", b"create pipes/x group=%s", b"remove shm/%s",
                 b"create pipes/x mode=%s", b"create sockets/servers/x listen=%s", b"empty pipes/%s", b"create pipes/x x%s"):
        for byte in EVERY.replace(b"\n", b"") + b"\0":
            yield form % (b"a" + bytes([byte]) + b"z") + b"\n"


def ctl():
    n = 0
    with open(IPC + b"/ctl", "r+b", buffering=0) as file:
        for line in wrong_lines():
            try:
                file.write(line)
            except OSError:
                n += 1
                with open(IPC + b"/ctl", "rb") as again:
                    text = again.read().decode("utf-8", "strict")
                assert text.replace("\n", "").replace("\t", "").isprintable(), (line, text)
                before, error = text.split("# Your last error:\n")
                assert error.startswith("line ") and error.count("\n") == 1, (line, error)
    print(n)


def lines():
    for line in wrong_lines():
        sys.stdout.buffer.write(line)


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
