#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A client of NATS that knows nothing of ipcfs, written with Python's standard library alone.

The server is at $NATS_URL (nats://HOST:PORT). Where one of several servers is asked, an answer that
there is nobody (503), or none at all, is tried again.

  publish SUBJECT [TEXT...]     stores each text (or stdin, as one message) and waits for each ack
  request SUBJECT [TEXT]        prints the answer
  wait                          until JetStream answers and, in a cluster, has a leader
  pull STREAM CONSUMER [N]      takes N messages from a queue, prints them, acknowledges them
  hold STREAM CONSUMER          takes one message, prints it, and never acknowledges it
  replay STREAM                 prints all messages of a stream, without taking them
  subscribe SUBJECT N           prints the next N messages, each as "SUBJECT: DATA"
  put BUCKET KEY [TEXT]         what key-value stores do: put (stdin without TEXT), get, delete
  get BUCKET KEY
  delete BUCKET KEY
  garbage SECONDS [SUBJECT...]  sends nonsense to these, and in answer to whatever anybody asks
"""
import base64
import json
import os
import random
import select
import socket
import sys
import time


class Link:
    def __init__(self, url=None):
        where = (url or os.environ["NATS_URL"]).split(",")[0]
        host, port = where.rsplit("://", 1)[-1].rsplit("@", 1)[-1].rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), 10)
        self.buffer = b""
        self.n_inboxes = 0
        self.n_subscriptions = 0
        self.line(10)  # INFO
        options = {"verbose": False, "pedantic": False, "headers": True, "no_responders": True,
                   "lang": "python", "version": "0", "name": "nats.py"}
        self.send(b"CONNECT " + json.dumps(options).encode() + b"\r\nPING\r\n")
        assert self.line(10) == b"PONG"

    def fill(self, n, timeout):
        """Reads until n bytes are there, or (0) some more. False: they did not come in time."""
        n = n or len(self.buffer) + 1
        until = time.monotonic() + timeout
        while len(self.buffer) < n:
            if not select.select([self.socket], [], [], max(0, until - time.monotonic()))[0]:
                return False
            data = self.socket.recv(1 << 20)
            if not data:
                raise ConnectionError("the server has closed the connection")
            self.buffer += data
        return True

    def line(self, timeout):
        """Takes the next line, or returns None if it does not come in time."""
        while b"\r\n" not in self.buffer:
            if not self.fill(0, timeout):
                return None
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        return line

    def send(self, data):
        self.socket.sendall(data)

    def publish(self, subject, data, reply="", headers=b""):
        if headers:
            self.send(b"HPUB %s %s %d %d\r\n%s%s\r\n" % (subject.encode(), reply.encode(), len(headers),
                                                      len(headers) + len(data), headers, data))
        else:
            self.send(b"PUB %s %s %d\r\n%s\r\n" % (subject.encode(), reply.encode(), len(data), data))

    def subscribe(self, subject):
        self.n_subscriptions += 1
        self.send(b"SUB %s %d\r\nPING\r\n" % (subject.encode(), self.n_subscriptions))
        while self.line(10) != b"PONG":
            pass

    def receive(self, timeout):
        """Returns (subject, reply, status, data), or None if nothing comes in time."""
        while True:
            line = self.line(timeout)
            if line is None:
                return None
            words = line.decode(errors="replace").split()
            if words[:1] == ["PING"]:
                self.send(b"PONG\r\n")
            elif words[:1] == ["-ERR"]:
                raise ConnectionError(line.decode())
            elif words[:1] in (["MSG"], ["HMSG"]):
                break
        size = int(words[-1])
        if not self.fill(size + 2, 10):
            raise ConnectionError("half a message")
        content, self.buffer = self.buffer[:size], self.buffer[size + 2:]
        n_header = int(words[-2]) if words[0] == "HMSG" else 0
        first = content[:n_header].split(b"\r\n")[0].split()
        reply = words[3] if len(words) == (6 if words[0] == "HMSG" else 5) else ""
        status = int(first[1]) if len(first) > 1 else 0
        return words[1], reply, status, content[n_header:]

    def ask(self, subject, data=b"", timeout=2):
        """Returns the status and the data of the first answer, or None."""
        self.n_inboxes += 1
        inbox = "_INBOX.%d.%d.%d" % (os.getpid(), time.monotonic_ns(), self.n_inboxes)
        self.subscribe(inbox)
        self.publish(subject, data, inbox)
        answer = self.receive(timeout)
        return answer and answer[2:]


def request(subject, data=b"", tries=100):
    """Asks until somebody answers, each time anew."""
    for _ in range(tries):
        try:
            answer = Link().ask(subject, data)
            if answer and answer[0] != 503:
                return answer[1]
        except OSError:
            pass
        time.sleep(0.1)
    sys.exit(f"{subject}: no answer")


def api(verb, data=None):
    return json.loads(request("$JS.API." + verb, json.dumps(data).encode() if data else b""))


def store(subject, data):
    answer = json.loads(request(subject, data))
    if "error" in answer:
        sys.exit(f"{subject}: {answer['error']}")
    return answer


def show(data):
    sys.stdout.buffer.write(data if data.endswith(b"\n") else data + b"\n")
    sys.stdout.flush()


def next_message(link, stream, consumer, timeout=5):
    inbox = "_INBOX.%d.%d" % (os.getpid(), time.monotonic_ns())
    link.subscribe(inbox)
    link.publish(f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}",
                 json.dumps({"batch": 1, "expires": int(timeout * 1e9)}).encode(), inbox)
    message = link.receive(timeout + 1)
    if not message or message[2]:
        sys.exit(f"{stream}: no message ({message and message[2]})")
    return message


def pull(stream, consumer, n=1):
    link = Link()
    for _ in range(int(n)):
        _, reply, _, data = next_message(link, stream, consumer)
        show(data)
        assert link.ask(reply, b"+ACK"), "the acknowledgement was not confirmed"


def hold(stream, consumer):
    show(next_message(Link(), stream, consumer)[3])


def replay(stream):
    state = api("STREAM.INFO." + stream)["state"]
    sequence = state["first_seq"]
    while sequence <= state["last_seq"] and state["messages"]:
        message = api("STREAM.MSG.GET." + stream, {"seq": sequence}).get("message")
        if message:
            show(base64.b64decode(message.get("data", "")))
        sequence += 1


def subscribe(subject, n):
    link = Link()
    link.subscribe(subject)
    print("subscribed", flush=True)
    for _ in range(int(n)):
        message = link.receive(15)
        if not message:
            sys.exit(f"{subject}: no message")
        show(message[0].encode() + b": " + message[3])


def put(bucket, key, *text):
    data = text[0].encode() if text else sys.stdin.buffer.read()
    print(store(f"$KV.{bucket}.{key}", data)["seq"])


def get(bucket, key):
    message = api("STREAM.MSG.GET.KV_" + bucket, {"last_by_subj": f"$KV.{bucket}.{key}"}).get("message")
    headers = base64.b64decode(message.get("hdrs", "")) if message else b""
    if not message or b"KV-Operation" in headers:
        sys.exit(f"{bucket} {key}: no value")
    show(base64.b64decode(message.get("data", "")))


def delete(bucket, key):
    link = Link()
    link.publish(f"$KV.{bucket}.{key}", b"", "_INBOX.nobody", b"NATS/1.0\r\nKV-Operation: DEL\r\n\r\n")
    link.ask("$JS.API.INFO")


def nonsense():
    return random.choice([
        b"", b"\0", b"{", b"[]", b"null", b"-1", b'"', b"{}" * 1000, b"[" * 100000,
        b'{"error":{"code":404,"err_code":10059,"description":"stream not found"}}',
        b'{"error":{}}', b'{"error":"no"}', b'{"error":{"err_code":"x","code":-5}}',
        b'{"stream":"x","seq":-1}', b'{"stream":5,"seq":"x","duplicate":3}',
        b'{"stream":"x","seq":18446744073709551616,"duplicate":true}',
        b'{"config":[],"state":{"messages":"many","first_seq":{}}}',
        b'{"message":{"data":"%%%","hdrs":"=","seq":"x","subject":null}}',
        b'{"message":{"data":"' + b"QUJD" * 50000 + b'","seq":1}}',
        b'{"name":"x","num_pending":-7,"delivered":null}',
        b'{"owner":"' + b"o" * 5000 + b'","group":7,"mode":"0666","created":1e99}',
        b'{"owner":"root","group":"root","mode":511,"maxmsg":-1,"msgsize":1e300}',
        b"x" * 900000, os.urandom(5000)])


HEADERS = [b"", b"NATS/1.0 404 No Messages\r\n\r\n", b"NATS/1.0 409 Consumer Deleted\r\n\r\n",
           b"NATS/1.0 408 Request Timeout\r\nNats-Pending-Messages: -5\r\n\r\n", b"NATS/1.0 503\r\n\r\n",
           b"NATS/1.0 100 Idle Heartbeat\r\n\r\n", b"NATS/1.0 999999999999\r\n\r\n",
           b"NATS/1.0\r\nNats-Msg-Id: x\r\nKV-Operation: what\r\nNats-Pending-Messages: x\r\n\r\n"]


def garbage(seconds, *subjects):
    """Listens to everything, so it knows where answers are expected, and answers, too."""
    link, n = None, 0
    until = time.monotonic() + float(seconds)
    known = list(subjects)
    while time.monotonic() < until:
        try:
            if not link:
                link = Link()
                link.subscribe(">")
            message = link.receive(0.01)
            for subject in message[:2] if message else []:
                if subject.startswith(("_INBOX.", "$JS.ACK.")) and subject not in known:
                    known = known[-200:] + [subject]
            for subject in random.sample(known, min(3, len(known))):
                link.publish(subject, nonsense(), random.choice(["", "_INBOX.x", subject]),
                             random.choice(HEADERS))
                n += 1
        except OSError:  # the server closes the connection of a slow consumer
            link = None
    print(n, "messages")


def publish(subject, *texts):
    for data in [text.encode() for text in texts] or [sys.stdin.buffer.read()]:
        store(subject, data)


def print_answer(subject, text=""):
    show(request(subject, text.encode()))


def wait():
    link_info = None
    until = time.monotonic() + 30
    while time.monotonic() < until:
        answer = json.loads(request("$JS.API.INFO", tries=100))
        if "error" not in answer:
            return
        link_info = answer
        time.sleep(0.05)
    sys.exit(f"JetStream: {link_info}")


COMMANDS = {"publish": publish, "request": print_answer, "wait": wait, "pull": pull, "hold": hold,
            "replay": replay, "subscribe": subscribe, "put": put, "get": get, "delete": delete,
            "garbage": garbage}

if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in COMMANDS:
        sys.exit(__doc__)
    COMMANDS[sys.argv[1]](*sys.argv[2:])
