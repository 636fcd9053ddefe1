#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Pipes and native FIFOs as a user at a shell meets them. Waiting is tested in pipes_blocking.bats.
# shellcheck shell=bats disable=SC2016

load helper

# Makes $P a pipe that the daemon serves, where it would be a FIFO.
serve() {
	echo "create pipes/$NAME served=daemon" >"$IPC/ctl"
}

# The type, as stat(1) prints it.
sort_of_pipe() {
	if keeps_fifos; then echo fifo; else echo "regular file"; fi
}

size_of_pipe() {
	if keeps_fifos; then echo 0; else echo 4096; fi
}

@test "what echo writes, cat reads" {
	run -0 shell 'echo hello > $P; cat $P'
	[[ $output == hello ]]
}

@test "a writer does not wait for a reader" {
	seq 100000 >"$BATS_TEST_TMPDIR/log" # half a megabyte
	shell 'cat "$BATS_TEST_TMPDIR/log" > $P'
	run -0 shell 'cat $P | cmp - "$BATS_TEST_TMPDIR/log"'
}

@test "wc -l counts what was written earlier" {
	shell 'seq 1234 > $P'
	run -0 shell 'wc -l < $P'
	[[ $output == 1234 ]]
}

@test "wc -c counts bytes although the size is shown as 0" {
	shell 'seq 1234 > $P'
	run -0 shell 'wc -c < $P'
	[[ $output == 5063 ]]
}

@test "several writes come out in their order" {
	run -0 shell 'echo one > $P; echo two >> $P; printf three > $P; cat $P'
	[[ $output == $'one\ntwo\nthree' ]]
}

@test "what one reader has taken, the next does not see" {
	run -0 shell 'echo one > $P; cat $P; echo two > $P; cat $P'
	[[ $output == $'one\ntwo' ]]
}

@test "opening for writing with > loses nothing" {
	run -0 shell 'echo kept > $P; : > $P; python3 -c "open(\"$P\", \"w\")"; cat $P'
	[[ $output == kept ]]
}

@test "truncate -s 0 empties a pipe that the daemon serves" {
	serve
	run -0 shell 'echo gone > $P; truncate -s 0 $P; echo new > $P; cat $P'
	[[ $output == new ]]
}

@test "truncate -s 0 of a FIFO is refused and loses nothing" {
	keeps_fifos || skip "pipes are served"
	run -1 shell 'echo kept > $P; truncate -s 0 $P'
	[[ $output == *"Invalid argument"* ]]
	run -0 shell 'cat $P'
	[[ $output == kept ]]
}

@test "empty throws away what waits, but not what is written later" {
	run -0 shell 'echo gone > $P; echo "empty pipes/$NAME" > $IPC/ctl; echo new > $P; cat $P'
	[[ $output == new ]]
}

@test "truncate to any other size is refused and loses nothing" {
	run -1 shell 'echo kept > $P; truncate -s 5 $P'
	[[ $output == *"Invalid argument"* ]]
	run -0 shell 'cat $P'
	[[ $output == kept ]]
}

@test "a pipe can hold 1 MiB" {
	run -0 shell 'head -c 1048576 /dev/zero > $P; cat $P | wc -c'
	[[ $output == 1048576 ]]
}

@test "bytes of every value survive" {
	head -c 300000 /dev/urandom >"$BATS_TEST_TMPDIR/random"
	run -0 shell 'cp "$BATS_TEST_TMPDIR/random" $P; cmp $P "$BATS_TEST_TMPDIR/random"'
}

# --- the usual tools ------------------------------------------------------------------------------

@test "head -n1 prints the first line" {
	run -0 --separate-stderr shell 'seq 5 > $P; head -n1 $P'
	[[ $output == 1 ]]
}

@test "tail -n2 prints the last lines" {
	run -0 shell 'seq 5 > $P; tail -n2 $P'
	[[ $output == $'4\n5' ]]
}

@test "tee writes into a pipe" {
	run -0 shell 'echo hello | tee $P; cat $P'
	[[ $output == $'hello\nhello' ]]
}

@test "cp copies a file into a pipe and back out" {
	seq 50000 >"$BATS_TEST_TMPDIR/in"
	run -0 shell 'cp "$BATS_TEST_TMPDIR/in" $P; cp $P "$OUT"; cmp "$BATS_TEST_TMPDIR/in" "$OUT"'
}

@test "cat moves what one pipe holds into another" {
	run -0 shell 'seq 1000 > $P; cat $P > $P.2; tail -n1 $P.2'
	[[ $output == 1000 ]]
}

@test "dd writes and reads" {
	run -0 shell 'seq 9 | dd of=$P status=none; dd if=$P bs=4 count=2 status=none'
	[[ $output == $'1\n2\n3\n4' ]]
}

@test "awk, grep and sort take a pipe as their file" {
	run -0 shell 'seq 4 > $P; awk "{ n += \$1 } END { print n }" $P
		echo two > $P; echo one > $P; sort $P; seq 12 > $P; grep -c 1 $P'
	[[ $output == $'10\none\ntwo\n4' ]]
}

@test "while read takes one line after the other" {
	run -0 shell 'seq 3 > $P; while read -r n; do echo "<$n>"; done < $P'
	[[ $output == $'<1>\n<2>\n<3>' ]]
}

@test "bash read takes a line and leaves the rest" {
	run -0 shell 'printf "one\ntwo\n" > $P; read -r line < $P; echo "$line"; cat $P'
	[[ $output == $'one\ntwo' ]]
}

@test "mapfile takes all lines" {
	run -0 shell 'seq 3 > $P; mapfile -t lines < $P; echo "${lines[@]}"'
	[[ $output == "1 2 3" ]]
}

@test "python3 writes and reads with open()" {
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

# --- what cannot be done --------------------------------------------------------------------------

@test "lseek is refused with ESPIPE" {
	run -1 shell 'echo hello > $P; python3 -c "import os; os.lseek(os.open(\"$P\", os.O_RDONLY), 1, 0)"'
	[[ $output == *"Illegal seek"* ]]
}

@test "mmap is refused with ENODEV" {
	run -0 shell 'echo hello > $P; python3 -c "
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap(None, ctypes.c_size_t(4096), 1, 1, os.open(os.environ[\"P\"], os.O_RDWR), 0)
print(os.strerror(ctypes.get_errno()))"'
	[[ $output == *"No such device"* ]]
}

@test "a hard link is refused" {
	run -1 shell 'touch $P; ln $P $P.2'
	[[ $output == *"Operation not permitted"* ]]
	[[ ! -e $P.2 ]]
}

@test "a symbolic link is refused" {
	run -1 shell 'ln -s /etc $P'
	[[ $output == *"Operation not permitted"* ]]
	[[ ! -L $P ]]
}

@test "mkdir is refused" {
	run -1 shell 'mkdir $P'
	[[ $output == *"Operation not permitted"* ]]
	[[ ! -e $P ]]
}

@test "a name of 255 bytes is good, one of 256 is too long" {
	local fill
	fill=$(printf '%0255d' 0)
	run -0 shell 'echo hello > "$IPC/pipes/$1"; cat "$IPC/pipes/$1"' "$fill"
	[[ $output == hello ]]
	run -1 shell 'echo hello > "$IPC/pipes/$1"' "${fill}0"
	[[ $output == *"File name too long"* ]]
}

@test "names with blanks, newlines, quotes and UTF-8 work" {
	run -0 shell 'cd $IPC/pipes; for name; do echo hello > "./$name"; cat "./$name"; rm "./$name"; done; ls' \
		"$NAME a b" "$NAME"$'\n' "${NAME}é" "-$NAME" "$NAME*" "\"$NAME'" "...$NAME"
	[[ $output == $'hello\nhello\nhello\nhello\nhello\nhello\nhello' ]]
}

@test "reading a missing name fails with ENOENT and makes nothing" {
	run -1 shell 'cat $P'
	[[ $output == *"No such file or directory"* ]]
	[[ ! -e $P ]]
}

# --- the object and its name ----------------------------------------------------------------------

@test "touch makes a pipe, ls shows it, rm removes it" {
	run -0 shell 'touch $P; ls $IPC/pipes; rm $P; ls $IPC/pipes'
	[[ $output == "$NAME" ]]
}

@test "a pipe that was removed and made again is empty" {
	run -0 shell 'echo old > $P; rm $P; echo new > $P; cat $P'
	[[ $output == new ]]
}

@test "a removed pipe lives on while it is open" {
	run -0 shell 'exec 7<>$P; rm $P; echo hello >&7; first <&7; ls $IPC/pipes'
	[[ $output == hello ]]
}

@test "mv renames a pipe with what it holds" {
	run -0 shell 'echo hello > $P; mv $P $P.2; ls $IPC/pipes; cat $P.2'
	[[ $output == "$NAME.2"$'\nhello' ]]
}

@test "mv onto another pipe replaces it" {
	run -0 shell 'echo a > $P; echo b > $P.2; mv $P $P.2; ls $IPC/pipes; cat $P.2'
	[[ $output == "$NAME.2"$'\na' ]]
}

@test "mv -n does not replace a pipe" {
	run -0 shell 'echo a > $P; echo b > $P.2; mv -n $P $P.2 || true; cat $P $P.2'
	[[ $output == $'a\nb' ]]
}

@test "noclobber does not write into a served pipe that exists" {
	serve
	run -1 shell 'echo kept > $P; set -C; echo more > $P'
	run -0 shell 'cat $P'
	[[ $output == kept ]]
}

@test "noclobber is about files: it writes into a FIFO, as anywhere" {
	keeps_fifos || skip "pipes are served"
	run -0 shell 'echo one > $P; set -C; echo two > $P; cat $P'
	[[ $output == $'one\ntwo' ]]
}

@test "noclobber makes a pipe" {
	run -0 shell 'set -C; echo one > $P; cat $P; stat -c %F $P'
	[[ $output == $'one\n'"$(sort_of_pipe)" ]]
}

@test "rm ends a copy that waits for room in the pipe it has made" {
	keeps_fifos || skip "pipes are served"
	run -0 shell 'head -c 3M /dev/zero > $BATS_TEST_TMPDIR/big; cp $BATS_TEST_TMPDIR/big $P 2> $BATS_TEST_TMPDIR/said &
		until [ "$(grep -c "^bytes 1048576" $IPC/info/pipes/$NAME/status)" = 1 ]; do :; done
		rm $P; ! wait $!; cat $BATS_TEST_TMPDIR/said'
	[[ $output == *"Broken pipe"* ]]
}

@test "ls -l shows a FIFO of size 0 with its owner and mode" {
	run -0 shell 'echo hello > $P; chmod 640 $P; chown 65534:12345 $P; stat -c "%F %a %u %g %s" $P'
	[[ $output == "$(sort_of_pipe) 640 65534 12345 $(size_of_pipe)" ]]
	run -0 shell 'cat $P'
	[[ $output == hello ]]
}

@test "ls -l shows a served pipe as a file of 4096 bytes" {
	serve
	run -0 shell 'echo hello > $P; chmod 640 $P; chown 65534:12345 $P; stat -c "%A %u %g %s" $P'
	[[ $output == "-rw-r----- 65534 12345 4096" ]]
}

@test "the umask is respected" {
	run -0 shell '(umask 077; touch $P); (umask 022; echo > $P.2); stat -c %a $P $P.2'
	[[ $output == $'600\n644' ]]
}

@test "touch sets the times" {
	run -0 shell 'touch $P; touch -m -d @1000000000 $P; touch -a -d @1100000000 $P
		stat -c "%Y %X" $P'
	[[ $output == "1000000000 1100000000" ]]
}

@test "touch on a pipe that exists brings its times to now" {
	run -0 shell 'touch -d @1000000000 $P; before=$(date +%s); touch $P
		(($(stat -c %Y $P) >= before)) && echo now'
	[[ $output == now ]]
}

@test "writing brings the modification time of a served pipe to now" {
	serve
	run -0 shell 'touch -d @1000000000 $P; before=$(date +%s); echo hello > $P
		(($(stat -c %Y $P) >= before)) && echo now'
	[[ $output == now ]]
}

# --- nodes that the kernel serves -----------------------------------------------------------------

@test "mkfifo makes a native FIFO" {
	run -0 shell 'mkfifo -m 640 $P; stat -c "%F %a" $P; echo hello > $P & cat $P'
	[[ $output == $'fifo 640\nhello' ]]
}

@test "a native FIFO can be renamed and removed while it is in use" {
	run -0 shell 'mkfifo $P; exec 7<>$P; mv $P $P.2; echo hello > $P.2; rm $P.2; first <&7
		ls $IPC/pipes'
	[[ $output == hello ]]
}

@test "chmod and chown of a native FIFO" {
	run -0 shell 'mkfifo $P; chmod 620 $P; chown 65534:12345 $P; stat -c "%A %u %g" $P'
	[[ $output == "prw--w---- 65534 12345" ]]
}

@test "a Unix socket bound in pipes/ takes connections" {
	run -0 shell 'python3 -c "
import os, socket
listener, client = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
listener.bind(os.environ[\"P\"])
listener.listen()
client.connect(os.environ[\"P\"])
client.sendall(b\"hello\")
print(listener.accept()[0].recv(9).decode())
"; stat -c %F $P; rm $P'
	[[ $output == $'hello\nsocket' ]]
}
