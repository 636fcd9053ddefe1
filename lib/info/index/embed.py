#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes C of the page: what comes before its data, and what comes after.

  embed.py PAGE STYLE SCRIPT... OUTPUT

Style and scripts are put into the page, and their hashes into its Content-Security-Policy: nothing
else can run in it, whatever names the data contain.
"""
import base64
import hashlib
import sys


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def hashed(text):
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def literal(text):
    """Returns one C string for each line."""
    lines = text.encode().split(b"\n")
    is_plain = lambda c: 0x20 <= c < 0x7f and c not in b'"\\?'
    quoted = ("".join(chr(c) if is_plain(c) else "\\%03o" % c for c in line) for line in lines)
    return "\\n\"\n\t\"".join(quoted)


def main():
    page, style, *scripts, output = sys.argv[1:]
    page, style, script = read(page), read(style), "".join(map(read, scripts))
    for text in style, script:
        assert "</" not in text and "<!--" not in text, "it would end its element"
    page = page.replace("@STYLE_HASH@", hashed(style)).replace("@SCRIPT_HASH@", hashed(script))
    head, tail = page.replace("@STYLE@", style).replace("@SCRIPT@", script).split("@DATA@")
    with open(output, "w", encoding="ascii") as file:
        file.write('#include "lib/info/info_page.h"\n\n')
        for name, text in ("head", head), ("tail", tail):
            file.write('const char info_page_%s[] =\n\t"%s";\n' % (name, literal(text)))


main()
