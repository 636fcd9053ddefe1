#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Values that all machines share: read whole, written whole, and watched.
# shellcheck shell=bats disable=SC2016,SC2030,SC2031,SC2154

load helper
load cluster

# has_value NAME TEXT [DIRECTORY]
has_value() {
	[[ $(timeout 5 cat "${3:-$b}/values/$1") == "$2" ]]
}

@test "echo on one machine is what cat prints on the other, and cat ends" {
	echo red >"$a/values/colour"
	wait_until test -e "$b/values/colour"
	wait_until has_value colour red
	run -0 shell 'cat $a/values/colour; wc -c < $b/values/colour'
	[[ $output == $'red\n4' ]]
	echo a longer value >"$b/values/colour"
	has_value colour "a longer value" "$a"
	echo x >"$a/values/colour"
	has_value colour x
}

@test "a write is seen by every read that begins after it has returned" {
	create values/n
	run -0 shell 'for n in {1..30}; do echo $n > $a/values/n; read -r seen < $b/values/n; [[ $seen == $n ]] || echo "$n: $seen"; done'
	[[ -z $output ]]
}

@test "a value that was never written is empty" {
	create values/empty
	run -0 shell 'cat $b/values/empty'
	[[ -z $output ]]
}

@test "one file read again from its start shows the new value" {
	echo one >"$a/values/v"
	wait_until has_value v one
	run -0 shell '/usr/bin/python3 -c "import os
r = os.open(os.environ[\"b\"] + \"/values/v\", os.O_RDONLY)
print(os.read(r, 100), os.read(r, 100))
w = os.open(os.environ[\"a\"] + \"/values/v\", os.O_WRONLY); os.write(w, b\"two\n\")
import select; p = select.poll(); p.register(r, select.POLLIN); assert p.poll(10000)
print(os.read(r, 100), os.read(r, 100))"'
	[[ ${lines[0]} == "b'one\\n' b''" && ${lines[1]} == "b'two\\n' b''" ]]
}

@test "select waits for a change on another machine, and the next read gives it" {
	echo one >"$a/values/v"
	wait_until has_value v one
	background /usr/bin/python3 -u -c 'import os, select
r = os.open(os.environ["b"] + "/values/v", os.O_RDONLY)
print(os.read(r, 100), os.read(r, 100))
assert not select.select([r], [], [], 0.2)[0], "nothing has changed"
print("ready")
assert select.select([r], [], [], 15)[0]
print(os.read(r, 100))' >"$OUT"
	wait_until contains "$OUT" ready
	echo two >"$a/values/v"
	wait_until ended "$JOB"
	contains "$OUT" "b'two\\n'"
}

@test "set -C: of two that make a value at once, one succeeds" {
	run -0 shell 'set -C
		(echo a > $a/values/leader) 2> /dev/null && echo a &
		(echo b > $b/values/leader) 2> /dev/null && echo b &
		wait'
	echo "$output"
	[[ $output == a || $output == b ]]
	wait_until has_value leader "$output"
	run -1 shell 'set -C; echo c > $b/values/leader'
	[[ $output == *"cannot overwrite existing file"* ]]
	rm "$a/values/leader"
	wait_until test ! -e "$b/values/leader"
	run -0 shell 'set -C; echo d > $b/values/leader'
	wait_until has_value leader d "$a"
}

@test "large values, and what the server refuses" {
	head -c 512K /dev/urandom >"$OUT"
	create values/large
	shell 'dd if=$OUT of=$a/values/large bs=512K status=none; cat $b/values/large > $OUT.read'
	cmp "$OUT" "$OUT.read"
	run -1 shell 'dd if=/dev/zero of=$a/values/large bs=1M count=1 status=none'
	[[ $output == *"Message too long"* ]]
	shell 'cat $b/values/large > $OUT.read'
	cmp "$OUT" "$OUT.read"
}

@test "peek shows the last values, history= how many" {
	create values/v history=3
	shell 'for n in one two three four; do echo $n > $a/values/v; done'
	run -0 shell 'cat $OTHER_IPC/info/cluster/values/v/peek'
	echo "$output"
	[[ $output == *two*three*four* && $output != *one* ]]
	run -0 shell 'cat $b/values/v'
	[[ $output == four ]]
}

@test "truncate -s 0 leaves an empty value, rm none" {
	echo one >"$a/values/v"
	wait_until has_value v one
	shell 'truncate -s 0 $b/values/v'
	has_value v "" "$a"
	rm "$b/values/v"
	wait_until test ! -e "$a/values/v"
}
