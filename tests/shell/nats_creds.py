#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes the credentials of a cluster, as `nsc` would: an operator, an account with JetStream, a user.

  nats_creds.py DIRECTORY   writes server.conf for nats-server, and user.creds for its clients

The keys are Ed25519 (RFC 8032), of which this is a plain, slow implementation: for tests only.
"""
import base64
import hashlib
import json
import os
import struct
import sys

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)


def recover_x(y):
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT % P
    return x if x % 2 == 0 else P - x


def add(a, b):
    x1, y1, z1, t1 = a
    x2, y2, z2, t2 = b
    m, n = (y1 - x1) * (y2 - x2) % P, (y1 + x1) * (y2 + x2) % P
    c, d = 2 * t1 * t2 * D % P, 2 * z1 * z2 % P
    e, f, g, h = n - m, d - c, d + c, n + m
    return e * f % P, g * h % P, f * g % P, e * h % P


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE = (recover_x(BASE_Y), BASE_Y, 1, recover_x(BASE_Y) * BASE_Y % P)


def times_base(n):
    result, point = (0, 1, 1, 0), BASE
    while n:
        if n & 1:
            result = add(result, point)
        point = add(point, point)
        n >>= 1
    x, y, z, _ = result
    inverse = pow(z, P - 2, P)
    return (y * inverse % P | (x * inverse % P & 1) << 255).to_bytes(32, "little")


def crc16(data):
    crc = 0
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    return struct.pack("<H", crc)


class Key:
    """A pair of keys of NATS ("nkeys"); `kind` is the letter that its public key begins with."""

    def __init__(self, kind):
        prefix = "ABCDEFGHIJKLMNOPQRSTUVWXYZ".index(kind) << 3
        private = os.urandom(32)
        digest = hashlib.sha512(private).digest()
        self.scalar = (int.from_bytes(digest[:32], "little") & (1 << 254) - 8) | 1 << 254
        self.nonce = digest[32:]
        self.raw = times_base(self.scalar)
        self.public = self.encode(bytes([prefix]) + self.raw)
        seed_prefix = 18 << 3
        self.seed = self.encode(bytes([seed_prefix | prefix >> 5, (prefix & 31) << 3]) + private)

    @staticmethod
    def encode(data):
        return base64.b32encode(data + crc16(data)).decode().rstrip("=")

    def sign(self, data):
        r = int.from_bytes(hashlib.sha512(self.nonce + data).digest(), "little") % L
        point = times_base(r)
        k = int.from_bytes(hashlib.sha512(point + self.raw + data).digest(), "little") % L
        return point + ((r + k * self.scalar) % L).to_bytes(32, "little")


def token(issuer, subject, name, claims):
    def encode(data):
        return base64.urlsafe_b64encode(data).rstrip(b"=")
    body = {"jti": name, "iat": 1700000000, "iss": issuer.public, "sub": subject.public, "name": name,
            "nats": {**claims, "version": 2}}
    text = encode(b'{"typ":"JWT","alg":"ed25519-nkey"}') + b"." + encode(json.dumps(body).encode())
    return (text + b"." + encode(issuer.sign(text))).decode()


def main(directory):
    operator, system, account, user = Key("O"), Key("A"), Key("A"), Key("U")
    limits = {key: -1 for key in ("subs", "data", "payload", "imports", "exports", "conn", "leaf")}
    limits["wildcards"] = True
    system_token = token(operator, system, "SYS", {"type": "account", "limits": limits})
    account_token = token(operator, account, "ipcfs", {
        "type": "account", "limits": {**limits, "mem_storage": -1, "disk_storage": -1}})
    user_token = token(account, user, "daemon", {
        "type": "user", "pub": {}, "sub": {}, "subs": -1, "data": -1, "payload": -1})
    operator_token = token(operator, operator, "test", {"type": "operator", "system_account": system.public})
    with open(os.path.join(directory, "server.conf"), "w") as file:
        file.write(f"operator: {operator_token}\nsystem_account: {system.public}\nresolver: MEMORY\n"
                   f"resolver_preload: {{ {system.public}: {system_token}\n{account.public}: {account_token} }}\n")
    path = os.path.join(directory, "user.creds")
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(f"-----BEGIN NATS USER JWT-----\n{user_token}\n------END NATS USER JWT------\n\n"
                   f"-----BEGIN USER NKEY SEED-----\n{user.seed}\n------END USER NKEY SEED------\n")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
