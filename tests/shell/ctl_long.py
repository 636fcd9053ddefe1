# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes one long write(2) to ctl, and prints "all" if it was written whole.

ctl_long.py CTL many NAME   a mebibyte of lines that make and remove sysv/sems/NAME, with many in each
ctl_long.py CTL cut NAME    text that the kernel cuts within its last line, "remove NAME" + "1"
"""
import mmap
import os
import sys

MAX = 1 << 20
OFFSET = 48  # in a page: the kernel then takes this much less in one request

ctl, what, name = sys.argv[1:]
if what == "many":
    pair = f"create sysv/sems/{name} count=30000\nremove sysv/sems/{name}\n".encode()
    text = pair * (MAX // len(pair))
else:
    line = f"remove {name}".encode()
    text = b"\n" * (MAX - OFFSET - len(line)) + line + b"1\n"
buffer = mmap.mmap(-1, 3 * MAX)
buffer[OFFSET:OFFSET + len(text)] = text
fd = os.open(ctl, os.O_WRONLY)
written = os.write(fd, memoryview(buffer)[OFFSET:OFFSET + len(text)])
print("all" if written == len(text) else f"{written} of {len(text)}")
