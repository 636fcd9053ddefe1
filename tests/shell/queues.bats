#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# POSIX message queues: what the shell does with them and what a native program sees. $MQ is the
# native program, $NATIVE_MQ the kernel's own view.
# shellcheck shell=bats disable=SC2016

load helper

# --- the object -----------------------------------------------------------------------------------

@test "touch makes a queue with the system's limits" {
	run -0 shell 'touch $Q; $MQ attr $NAME'
	[[ $output == "$(cat /proc/sys/fs/mqueue/msg_default) $(cat /proc/sys/fs/mqueue/msgsize_default) 0" ]]
}

@test "echo makes a queue and sends; a native program receives" {
	run -0 shell 'echo hello > $Q; $MQ receive $NAME'
	[[ $output == "0 hello" ]]
}

@test "a queue that was made natively is listed and can be used" {
	needs mqueue_mount
	run -0 shell '$MQ create $NAME 3 100; ls $IPC/queues; $MQ send $NAME hello; first $Q'
	[[ $output == *"$NAME"*hello ]]
}

@test "a queue that was removed natively is gone at once" {
	run -0 shell 'touch $Q; stat $Q > /dev/null; $MQ unlink $NAME; ls $IPC/queues | grep -Fx $NAME || echo gone'
	[[ $output == gone ]]
	run -1 shell 'cat $Q'
	[[ $output == *"No such file or directory"* ]]
}

@test "a queue that was made again natively is the new one" {
	run -0 shell 'echo old > $Q; exec 7< $Q; $MQ unlink $NAME; $MQ create $NAME; $MQ send $NAME new
		first $Q; first <&7'
	[[ $output == new*old ]]
}

@test "rm removes the queue itself" {
	run -0 shell 'touch $Q; rm $Q; ls $IPC/queues | grep -Fx $NAME || echo gone'
	[[ $output == gone ]]
	run -1 shell '$MQ attr $NAME'
	[[ $output == *"No such file or directory"* ]]
}

@test "a removed queue lives on while it is open" {
	run -0 shell 'exec 7<> $Q; rm $Q; echo hello >&7; first <&7'
	[[ $output == hello ]]
}

@test "mv is refused" {
	run -1 shell 'touch $Q; mv $Q $Q.2'
	[[ $output == *"Operation not permitted"* ]]
	[[ -e $NATIVE_MQ/$NAME && ! -e $NATIVE_MQ/$NAME.2 ]]
}

@test "mv to another kind is refused at once, and takes nothing" {
	run -1 shell 'echo hello > $Q; mv $Q $P'
	run -1 shell 'echo hello > $P; mv $P $S'
	run -0 shell 'first $Q; cat $P; ls $S || true'
	[[ $output == $'hello\nhello\n'*"No such file or directory" ]]
}

@test "mkdir, mkfifo, ln and ln -s are refused" {
	run -0 shell 'touch $Q; mkdir $Q.d || mkfifo $Q.f || ln $Q $Q.l || ln -s x $Q.s || echo all refused'
	[[ $output == *"all refused" ]]
	[[ $(grep -c "Operation not permitted" <<<"$output") == 4 ]]
}

@test "chmod and chown change the real queue" {
	run -0 shell 'touch $Q; chmod 620 $Q; chown 65534:12345 $Q; stat -c "%A %u %g" $Q $NATIVE_MQ/$NAME'
	[[ $output == $'-rw--w---- 65534 12345\n-rw--w---- 65534 12345' ]]
}

@test "ls shows what was changed natively" {
	run -0 shell '$MQ create $NAME; chmod 604 $NATIVE_MQ/$NAME; chown 65534 $NATIVE_MQ/$NAME
		stat -c "%a %u %s" $Q'
	[[ $output == "604 65534 4096" ]]
}

@test "the umask is respected" {
	run -0 shell '(umask 077; touch $Q); (umask 022; echo > $Q.2); stat -c %a $NATIVE_MQ/$NAME{,.2}'
	[[ $output == $'600\n644' ]]
}

@test "touch sets the times" {
	run -0 shell 'touch $Q; touch -m -d @1000000000 $Q; touch -a -d @1100000000 $Q
		stat -c "%Y %X" $Q'
	[[ $output == "1000000000 1100000000" ]]
}

@test "a name of 255 bytes is good, one of 256 is too long" {
	local fill
	fill=$(printf "%-255s" "$NAME" | tr ' ' 0)
	run -0 shell 'echo hello > "$IPC/queues/$1"; $MQ receive "$1"' "$fill"
	[[ $output == "0 hello" ]]
	run -1 shell 'echo hello > "$IPC/queues/$1"' "${fill}0"
	[[ $output == *"File name too long"* ]]
}

@test "two mounts show the same queues" {
	local second
	second=$(new_directory)
	mount_ipcfs "$second"
	run -0 shell 'echo hello > $Q; first $1/queues/$NAME; rm $1/queues/$NAME; ls $IPC/queues' "$second"
	[[ $output == hello* && $output != *"$NAME"* ]]
}

# --- messages -------------------------------------------------------------------------------------

@test "one echo is one message" {
	run -0 shell 'echo one > $Q; echo two > $Q; $MQ attr $NAME; $MQ receive $NAME; $MQ receive $NAME'
	[[ $output == *$' 2\n0 one\n0 two' ]]
}

@test "one echo of a line longer than 4096 bytes is one message" {
	# bash writes in pieces of st_blksize.
	run -0 shell 'printf -v line %6000s x; echo "$line" > $Q; $MQ attr $NAME; first $Q | wc -c'
	[[ $output == *$' 1\n6001' ]]
}

@test "cat prints what there is, message after message, and then waits" {
	run -124 shell 'seq 3 | while read -r n; do echo $n > $Q; done; timeout 0.5 cat $Q'
	[[ $output == $'1\n2\n3' ]]
}

@test "head -n1 takes one message and leaves the others" {
	run -0 shell 'echo one > $Q; echo two > $Q; first $Q; first $Q'
	[[ $output == $'one\ntwo' ]]
}

@test "bash read, one byte at a time, gets one message after the other" {
	run -0 shell 'for m in one two three; do echo $m > $Q; done
		{ read -r a; read -r b; read -r c; } < $Q; echo $a,$b,$c'
	[[ $output == one,two,three ]]
}

@test "dd bs=1 gets all of a message" {
	run -0 shell 'printf abc > $Q; printf def > $Q; dd if=$Q bs=1 count=5 status=none'
	[[ $output == abcde ]]
}

@test "one read never returns two messages" {
	run -0 shell 'printf abc > $Q; printf def > $Q; dd if=$Q bs=100 count=1 status=none'
	[[ $output == abc ]]
}

@test "one read never returns the rest of a message and the next" {
	run -0 shell 'printf abcdef > $Q; printf ghi > $Q
		{ dd bs=4 count=1; echo; dd bs=100 count=1; echo; dd bs=100 count=1; } < $Q 2>/dev/null'
	[[ $output == $'abcd\nef\nghi' ]]
}

@test "the rest of a message stays with its open file" {
	run -0 shell 'printf abcdef > $Q; printf ghi > $Q; exec 7< $Q
		dd bs=3 count=1 <&7 2>/dev/null; echo; dd if=$Q bs=9 count=1 2>/dev/null; echo; dd bs=9 count=1 <&7 2>/dev/null'
	[[ $output == $'abc\nghi\ndef' ]]
}

@test "bytes of every value and the largest size survive" {
	head -c 8192 /dev/urandom >"$BATS_TEST_TMPDIR/in"
	run -0 shell 'dd if="$BATS_TEST_TMPDIR/in" of=$Q bs=8192 2>/dev/null
		dd if=$Q bs=8192 count=1 2>/dev/null | cmp - "$BATS_TEST_TMPDIR/in"'
}

@test "a message that is too large is refused and nothing is sent" {
	run -1 shell 'touch $Q; dd if=/dev/zero of=$Q bs=8193 count=1'
	[[ $output == *"Message too long"* ]]
	run -0 shell '$MQ attr $NAME'
	[[ $output == *" 0" ]]
}

@test "a queue's own msgsize decides what is too large" {
	run -0 shell '$MQ create $NAME 5 16; printf 0123456789abcdef > $Q; $MQ receive $NAME'
	[[ $output == "0 0123456789abcdef" ]]
	run -1 shell 'printf 0123456789abcdefg > $Q'
	[[ $output == *"Message too long"* ]]
}

@test "opening for writing with > loses nothing" {
	run -0 shell 'echo kept > $Q; : > $Q; $MQ receive $NAME'
	[[ $output == "0 kept" ]]
}

@test "truncate -s 0 empties a queue" {
	run -0 shell 'echo gone > $Q; echo gone > $Q:4; truncate -s 0 $Q; $MQ attr $NAME'
	[[ $output == *" 0" ]]
}

@test "truncate to any other size is refused and loses nothing" {
	run -1 shell 'echo kept > $Q; truncate -s 5 $Q'
	[[ $output == *"Invalid argument"* ]]
	run -0 shell '$MQ receive $NAME'
	[[ $output == "0 kept" ]]
}

@test "lseek fails with ESPIPE and mmap with ENODEV" {
	run -0 shell 'echo hello > $Q; python3 -c "
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
f = os.open(os.environ[\"Q\"], os.O_RDWR)
libc.lseek(f, 1, 0)
print(os.strerror(ctypes.get_errno()))
libc.mmap(None, ctypes.c_size_t(4096), 1, 1, f, 0)
print(os.strerror(ctypes.get_errno()))
"'
	[[ $output == $'Illegal seek\nNo such device' ]]
}

# --- priorities -----------------------------------------------------------------------------------

@test "NAME:9 sends with priority 9" {
	run -0 shell 'touch $Q; echo hello > $Q:9; $MQ receive $NAME'
	[[ $output == "9 hello" ]]
}

@test "the highest priority comes first, then the oldest" {
	run -0 shell 'echo a1 > $Q; echo a2 > $Q:1; echo b9 > $Q:9; echo c0 > $Q; echo d9 > $Q:9
		{ for n in 1 2 3 4 5; do read -r m; echo $m; done; } < $Q'
	[[ $output == $'b9\nd9\na2\na1\nc0' ]]
}

@test "a priority sent natively decides the order of cat" {
	run -0 shell '$MQ create $NAME; $MQ send $NAME low 1; $MQ send $NAME high 20000
		{ read -r a; read -r b; } < $Q; echo $a $b'
	[[ $output == "high low" ]]
}

@test "NAME:9 is not listed and makes no queue of that name" {
	needs mqueue_mount
	run -0 shell 'touch $Q; echo hello > $Q:9; ls $NATIVE_MQ $IPC/queues | grep -cF "$NAME"'
	[[ $output == 2 ]]
}

@test "a queue whose own name ends in :5 wins over the suffix" {
	run -0 shell '$MQ create $NAME:5; touch $Q; echo hello > $Q:5; $MQ attr $NAME; $MQ receive $NAME:5'
	[[ $output == *$' 0\n0 hello' ]]
}

@test "a priority that the kernel does not have is refused and nothing is sent" {
	run ! shell 'touch $Q; echo hello > $Q:32768'
	run -0 shell '$MQ attr $NAME; ls $NATIVE_MQ | grep -cF "$NAME"'
	[[ $output == *$' 0\n1' ]]
}

# --- waiting --------------------------------------------------------------------------------------

@test "timeout ends a cat that waits" {
	touch "$Q"
	run -124 timeout -k 5 0.3 cat "$Q"
}

@test "a message sent natively wakes a cat that waits" {
	touch "$Q"
	background cat "$Q" >"$OUT"
	wait_until blocked "$JOB"
	"$MQ" send "$NAME" hello
	wait_until contains "$OUT" hello
}

@test "a writer that comes and goes gives a reader no end-of-file" {
	touch "$Q"
	background cat "$Q" >"$OUT"
	wait_until blocked "$JOB"
	shell ': > $Q; echo hello > $Q'
	wait_until contains "$OUT" hello
	wait_until blocked "$JOB"
}

@test "Ctrl-C and SIGKILL end a waiting cat at once, and it takes nothing with it" {
	local signal
	touch "$Q"
	for signal in INT KILL; do
		background cat "$Q"
		wait_until blocked "$JOB"
		kill -$signal "$JOB"
		WITHIN=2 wait_until ended "$JOB"
	done
	run -0 shell 'echo hello > $Q; first $Q'
	[[ $output == hello ]]
}

@test "each message goes to one of several readers" {
	local n
	touch "$Q"
	for n in 1 2 3; do background cat "$Q" >"$OUT.$n"; done
	shell 'for ((n = 0; n < 300; n++)); do echo $n > $Q; done'
	wait_until eval '[[ $(cat "$OUT".* | wc -l) == 300 ]]'
	[[ $(sort -nu "$OUT".* | wc -l) == 300 ]]
}

@test "O_NONBLOCK on an empty queue gives EAGAIN" {
	run -1 shell 'touch $Q; dd if=$Q iflag=nonblock'
	[[ $output == *"Resource temporarily unavailable"* ]]
}

@test "O_NONBLOCK on a full queue gives EAGAIN" {
	touch "$Q"
	fill_queue
	run -1 shell 'dd of=$Q oflag=nonblock <<< more'
	[[ $output == *"Resource temporarily unavailable"* ]]
	run -0 "$MQ" attr "$NAME"
	[[ $output == *" $(cat /proc/sys/fs/mqueue/msg_default)" ]]
}

@test "python3 select tells when there is something to read and room to write" {
	touch "$Q"
	fill_queue
	run -0 shell 'timeout 10 python3 -c "
import os, select
f = os.open(os.environ[\"Q\"], os.O_RDWR | os.O_NONBLOCK)
def ready(): return [bool(l) for l in select.select([f], [f], [], 0)[:2]]
print(ready())
os.read(f, 8192)
print(ready())
try:
    while True: os.read(f, 8192)
except BlockingIOError: print(ready())
if os.fork() == 0:
    os.execl(os.environ[\"MQ\"], \"mq.py\", \"send\", os.environ[\"NAME\"], \"hello\")
print(select.select([f], [], [])[0] == [f], os.read(f, 8192))
"'
	[[ $output == $'[True, False]\n[True, True]\n[False, True]\nTrue b\'hello\\n\'' ]]
}

block_a_writer() {
	touch "$Q"
	fill_queue
	background bash -c 'echo last > $Q'
	wait_until blocked "$JOB"
}

@test "a writer waits for room and then goes on" {
	block_a_writer
	run -0 "$MQ" receive "$NAME"
	[[ $output == "0 message 1" ]]
	wait "$JOB"
	run -0 shell '$MQ attr $NAME; { for n in {1..10}; do read -r m; done; } < $Q; echo $m'
	[[ $output == *$' 10\nlast' ]]
}

@test "Ctrl-C and SIGKILL end a writer that waits, and nothing was sent" {
	local signal
	for signal in INT KILL; do
		block_a_writer
		kill -$signal "$JOB"
		WITHIN=2 wait_until ended "$JOB"
	done
	run -124 shell 'timeout 0.5 cat $Q'
	[[ $output == $'message 1\n'*"message 10" ]]
}

@test "behind a waiting writer other writers wait interruptibly; stat, ls and chmod work" {
	block_a_writer
	background bash -c 'echo x > $Q'
	background bash -c 'echo x >> $Q:5'
	wait_until blocked "${JOBS[1]}"
	wait_until blocked "${JOBS[2]}"
	WITHIN=5 run -0 shell 'stat $Q; ls -l $IPC/queues; chmod 600 $Q; touch $Q; exec 7<$Q 8>$Q'
	no_job_in_d_state
	kill -INT "${JOBS[@]}"
	local job
	for job in "${JOBS[@]}"; do WITHIN=3 wait_until ended "$job"; done
}

@test "behind a waiting writer truncate and rm work" {
	block_a_writer
	WITHIN=5 run -0 shell 'truncate -s 0 $Q'
	wait "$JOB"
	block_a_writer
	WITHIN=5 run -0 shell 'rm $Q; echo hello > $Q; $MQ receive $NAME'
	[[ $output == "0 hello" ]]
}
