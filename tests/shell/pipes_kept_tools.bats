#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Kept FIFOs with common tools: a tool that treats FIFOs differently from files does so here, too.
# shellcheck shell=bats disable=SC2016

load helper

setup() {
	needs open_tree
	ipcfs_setup
	make_directory
}

# has TOOL: skips the test if it is not installed.
has() {
	command -v "$1" >/dev/null || skip "$1 is not installed"
}

# --- the shell ------------------------------------------------------------------------------------

@test "[ -p ] is true, [ -f ] and [ -s ] are not" {
	run -0 shell 'echo hello > $P; [ -p $P ] && ! [ -f $P ] && ! [ -s $P ]'
}

@test "bash's read -t gives up in time, and reads what comes in time" {
	WITHIN=5 run -0 shell 'touch $P; exec 7<>$P; read -r -t 0.3 line <&7; (($? > 128)); echo in time
		(echo hello > $P) & read -r -t 5 line <&7; echo "$line"'
	[[ $output == $'in time\nhello' ]]
}

@test "read, mapfile and while take lines and leave the rest" {
	run -0 shell 'seq 5 > $P; exec 7<$P; read -r a <&7; read -r b <&7; echo "$a $b"; mapfile -t -n 2 c <&7; echo "${c[@]}"
		while read -r d; do echo "<$d>"; done <&7'
	[[ $output == $'1 2\n3 4\n<5>' ]]
}

@test "read takes a line, and another reader gets the rest" {
	run -0 shell 'printf "one\ntwo\n" > $P; read -r line < $P; echo "$line"; cat $P'
	[[ $output == $'one\ntwo' ]]
}

@test "noclobber writes into an existing FIFO, as anywhere" {
	run -0 shell 'echo one > $P; set -C; echo two > $P; cat $P'
	[[ $output == $'one\ntwo' ]]
}

@test "zsh reads and writes" {
	has zsh
	run -0 shell 'zsh -c "echo hello > \$P; read -t 5 line < \$P; echo \$line"'
	[[ $output == hello ]]
}

# --- small tools ----------------------------------------------------------------------------------

@test "head prints and does not complain" {
	run -0 --separate-stderr shell 'seq 5 > $P; head -n2 $P'
	[[ $output == $'1\n2' && -z ${stderr:-} ]]
}

@test "tail -n2 prints the last lines" {
	run -0 shell 'seq 5 > $P; tail -n2 $P'
	[[ $output == $'4\n5' ]]
}

@test "tail -f goes on after the end" {
	shell 'echo one > $P'
	background tail -n +1 -s 0.1 -f "$P" >"$OUT"
	wait_until contains "$OUT" one
	shell 'echo two > $P'
	wait_until contains "$OUT" two
	shell 'echo three > $P'
	wait_until contains "$OUT" three
}

@test "grep -r skips a FIFO" {
	WITHIN=5 run -1 shell 'echo hello > $P; grep -r hello $IPC/pipes'
	run -0 shell 'grep hello $P'
	[[ $output == hello ]]
}

@test "awk, sort, wc and dd take a FIFO as their file" {
	run -0 shell 'seq 4 > $P; awk "{ n += \$1 } END { print n }" $P; echo two > $P; echo one > $P; sort $P
		seq 1234 > $P; wc -c < $P; seq 9 | dd of=$P status=none; dd if=$P bs=4 count=2 status=none; cat $P > "$OUT"'
	[[ $output == $'10\none\ntwo\n5063\n1\n2\n3\n4' ]]
}

@test "cat moves what one FIFO holds into another, by splice or not" {
	run -0 shell 'seq 100000 > $P; cat $P > $P.2; tail -n1 $P.2'
	[[ $output == 100000 ]]
}

@test "tee feeds two FIFOs" {
	run -0 shell 'seq 3 | tee $P $P.2 > "$OUT"; cat $P $P.2'
	[[ $output == $'1\n2\n3\n1\n2\n3' ]]
}

@test "split and join of a stream by process substitution" {
	run -0 shell 'seq 10 > $P; diff <(seq 10) $P && echo same'
	[[ $output == same ]]
}

# Since version 1.9 pv ends only when somebody has read what it has written to a FIFO.
@test "pv passes bytes in and out" {
	has pv
	head -c 700000 /dev/urandom >"$D/in"
	WITHIN=10 run -0 shell 'exec 3>$P; pv -q "$D/in" >&3 & exec 3>&-; pv -q $P > "$OUT"; wait $!; cmp "$D/in" "$OUT"'
}

@test "socat reads from a FIFO and writes to it" {
	run -0 shell 'echo hello | socat -u - OPEN:$P,creat; socat -u OPEN:$P,rdonly -'
	[[ $output == hello ]]
}

# --- copying ends ---------------------------------------------------------------------------------

@test "cp -a copies the FIFO, and no byte of it" {
	WITHIN=5 run -0 shell 'echo hello > $P; chmod 640 $P; cp -a $P "$D/copy"; [ -p "$D/copy" ]; stat -c %a "$D/copy"; cat $P'
	[[ $output == $'640\nhello' ]]
}

@test "cp -a of a FIFO into pipes/ makes a plain one" {
	run -0 shell 'mkfifo -m 640 "$D/f"; cp -a "$D/f" $P; stat -c "%F %a" $P; grep -x "keep no" $IPC/info/pipes/$NAME/status'
	[[ $output == $'fifo 640\nkeep no' ]]
}

@test "rsync --specials copies the FIFO, and no byte of it" {
	has rsync
	WITHIN=10 run -0 shell 'echo hello > $P; rsync -r --specials $IPC/pipes/ "$D/copy"; [ -p "$D/copy/$NAME" ]; cat $P'
	[[ $output == hello ]]
}

@test "tar stores the FIFO, and makes it again" {
	WITHIN=5 run -0 shell 'echo hello > $P; tar -C $IPC/pipes -cf "$D/t" .; cat $P; rm $P; tar -tvf "$D/t" | grep -o "^p.*$NAME" | cut -c1
		tar -C $IPC/pipes -xf "$D/t" ./$NAME; [ -p $P ]'
	[[ $output == $'hello\np' ]]
}

@test "find | cpio-like walks and du neither wait nor take" {
	WITHIN=5 run -0 shell 'echo hello > $P; find $IPC/pipes -type p -size 0 -printf x; du -s $IPC/pipes > "$OUT"; cat $P'
	[[ $output == xhello ]]
}

# --- languages ------------------------------------------------------------------------------------

@test "python3 reads and writes with open()" {
	run -0 shell 'python3 -c "
import os
path = os.environ[\"P\"]
with open(path, \"w\") as f: print(\"hello\", file=f)
with open(path, \"a\") as f: print(\"again\", file=f)
with open(path) as f: print(f.read(), end=\"\")
with open(path, \"wb\") as f: f.write(bytes(range(256)))
with open(path, \"rb\") as f: print(f.read() == bytes(range(256)))
"'
	[[ $output == $'hello\nagain\nTrue' ]]
}

@test "python3's asyncio connects to both ends" {
	run -0 shell 'touch $P; timeout 10 python3 -c "
import asyncio, os
path = os.environ[\"P\"]
async def main():
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), \"rb\", buffering=0))
    transport, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, open(path, \"wb\", buffering=0))
    transport.write(b\"hello\n\" * 100000)
    transport.close()
    data = await reader.read()
    print(len(data), data == b\"hello\n\" * 100000)
asyncio.run(main())
"'
	[[ $output == "600000 True" ]]
}

@test "node reads a FIFO as a stream, to the end" {
	has node
	run -0 shell 'seq 1000 > $P; timeout 10 node -e "
const fs = require(\"fs\"); let n = 0
fs.createReadStream(process.env.P).on(\"data\", (part) => { n += part.length }).on(\"end\", () => console.log(n))
"'
	[[ $output == 3893 ]]
}

@test "node writes a FIFO as a stream" {
	has node
	run -0 shell 'touch $P; timeout 10 node -e "
require(\"fs\").createWriteStream(process.env.P).end(\"hello\")
"; cat $P'
	[[ $output == hello ]]
}

@test "perl reads lines and polls" {
	run -0 shell 'seq 3 > $P; timeout 10 perl -e "
use IO::Select;
open F, q(<), \$ENV{P} or die;
print IO::Select->new(*F)->can_read(5) ? qq(ready\n) : qq(not\n);
print while <F>;
"'
	[[ $output == $'ready\n1\n2\n3' ]]
}
