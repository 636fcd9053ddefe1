#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Pipes that the daemon serves: what waits, what sees end-of-file, and what ends a wait.
# shellcheck shell=bats disable=SC2016

load helper

export SETUP_OPTIONS=pipe_served=daemon

# --- end-of-file ----------------------------------------------------------------------------------

@test "a reader of an empty pipe waits for the first writer and ends with it" {
	touch "$P"
	background cat "$P" >"$OUT"
	wait_until blocked "$JOB"
	shell 'echo hello > $P'
	wait "$JOB"
	[[ $(cat "$OUT") == hello ]]
}

@test "a writer that writes nothing ends a waiting reader" {
	touch "$P"
	background cat "$P"
	wait_until blocked "$JOB"
	shell ': > $P'
	wait_until ended "$JOB"
	wait "$JOB"
}

@test "eof=never keeps a reader waiting when the last writer goes, eof=auto ends it" {
	shell 'echo "create pipes/$NAME eof=never" > $IPC/ctl'
	background cat "$P" >"$OUT"
	shell 'echo hello > $P'
	wait_until contains "$OUT" hello
	wait_until blocked "$JOB"
	shell 'echo bye > $P'
	wait_until contains "$OUT" bye
	wait_until blocked "$JOB"
	shell 'echo "set pipes/$NAME eof=auto" > $IPC/ctl'
	wait_until ended "$JOB"
	[[ $(cat "$OUT") == $'hello\nbye' ]]
}

@test "no end-of-file while a writer is open" {
	touch "$P"
	background cat "$P" >"$OUT"
	wait_until blocked "$JOB"
	exec 7>"$P"
	shell 'echo one > $P'
	wait_until contains "$OUT" one
	wait_until blocked "$JOB"
	shell 'echo two >&7'
	wait_until contains "$OUT" two
	exec 7>&-
	wait "$JOB"
	[[ $(cat "$OUT") == $'one\ntwo' ]]
}

@test "a reader that comes after the end waits for a new writer" {
	run -0 shell 'echo one > $P; cat $P'
	background cat "$P" >"$OUT"
	wait_until blocked "$JOB"
	shell 'echo two > $P'
	wait "$JOB"
	[[ $(cat "$OUT") == two ]]
}

@test "each of two readers ends; together they have everything" {
	touch "$P"
	background cat "$P" >"$OUT"
	background cat "$P" >"$OUT.2"
	wait_until blocked "${JOBS[0]}"
	wait_until blocked "${JOBS[1]}"
	shell 'seq 1000 > $P'
	wait "${JOBS[0]}"
	wait "${JOBS[1]}"
	[[ $(cat "$OUT" "$OUT.2" | wc -c) == 3893 ]]
}

@test "a reader that waits gets a write whole" {
	touch "$P"
	background dd if="$P" of="$OUT" bs=100000 count=1 status=none
	wait_until blocked "$JOB"
	shell 'dd if=/dev/zero of=$P bs=100000 count=1 status=none'
	wait "$JOB"
	[[ $(stat -c %s "$OUT") == 100000 ]]
}

# --- ending a wait --------------------------------------------------------------------------------

@test "timeout ends a cat that waits" {
	touch "$P"
	run -124 timeout -k 5 0.3 cat "$P"
}

@test "Ctrl-C ends a cat that waits, at once" {
	touch "$P"
	background cat "$P"
	wait_until blocked "$JOB"
	kill -INT "$JOB"
	WITHIN=2 wait_until ended "$JOB"
	local status=0
	wait "$JOB" || status=$?
	[[ $status == 130 ]]
}

@test "SIGKILL ends a cat that waits, at once" {
	touch "$P"
	background cat "$P"
	wait_until blocked "$JOB"
	kill -KILL "$JOB"
	WITHIN=2 wait_until ended "$JOB"
}

@test "SIGSTOP and SIGCONT do not disturb a cat that waits" {
	touch "$P"
	background cat "$P" >"$OUT"
	wait_until blocked "$JOB"
	kill -STOP "$JOB"
	wait_until eval '[[ $(state_of "$JOB") == T ]]'
	kill -CONT "$JOB"
	wait_until blocked "$JOB"
	shell 'echo hello > $P'
	wait "$JOB"
	[[ $(cat "$OUT") == hello ]]
}

@test "a reader that was ended has taken no bytes" {
	touch "$P"
	background cat "$P"
	wait_until blocked "$JOB"
	kill -INT "$JOB"
	wait_until ended "$JOB"
	run -0 shell 'echo hello > $P; cat $P'
	[[ $output == hello ]]
}

@test "zsh's read -t gives up in time and reads what comes in time" {
	command -v zsh >"$OUT" || skip "zsh is not installed"
	# bash's own -t has no effect on what fstat(2) calls regular, so it waits like plain read.
	touch "$P"
	run -1 shell 'zsh -c "read -t 0.3 line <> $P"'
	run -0 shell 'echo hello > $P; zsh -c "read -t 5 line < $P; echo \$line"'
	[[ $output == hello ]]
}

# --- not waiting ----------------------------------------------------------------------------------

@test "O_NONBLOCK on an empty pipe gives EAGAIN" {
	run -1 shell 'exec 7<>$P; dd if=$P iflag=nonblock'
	[[ $output == *"Resource temporarily unavailable"* ]]
}

@test "O_NONBLOCK on a full pipe gives EAGAIN, and everything accepted is there" {
	shell 'touch $P'
	run -0 fill_pipe
	[[ $output -ge 1000000 ]]
	local taken=$output
	run -1 shell 'dd if=/dev/zero of=$P oflag=nonblock count=1'
	[[ $output == *"Resource temporarily unavailable"* ]]
	run -0 shell 'cat $P | wc -c'
	[[ $output == "$taken" ]]
}

@test "python3 select tells when there is something to read" {
	run -0 shell 'touch $P; timeout 10 python3 -c "
import os, select
path = os.environ[\"P\"]
r = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
w = os.open(path, os.O_WRONLY)
print(select.select([r], [], [], 0.1)[0] == [])
if os.fork() == 0:
    os.write(w, b\"hello\")
    os._exit(0)
print(select.select([r], [], [])[0] == [r], os.read(r, 9))
print(select.select([r], [], [], 0)[0] == [])
"'
	[[ $output == $'True\nTrue b\'hello\'\nTrue' ]]
}

@test "python3 select tells when there is room to write" {
	touch "$P"
	run -0 fill_pipe
	run -0 shell 'timeout 10 python3 -c "
import os, select
path = os.environ[\"P\"]
w = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
print(select.select([], [w], [], 0.1)[1] == [])
if os.fork() == 0:
    r = os.open(path, os.O_RDONLY)
    while select.select([r], [], [], 0)[0]: os.read(r, 1 << 20)
    os._exit(0)
print(select.select([], [w], [])[1] == [w])
"'
	[[ $output == $'True\nTrue' ]]
}

# --- both ways, and many ---------------------------------------------------------------------------

@test "one descriptor reads and writes at the same time" {
	exec 7<>"$P"
	background cat <&7 >"$OUT"
	wait_until blocked "$JOB"
	shell 'echo both ways >&7'
	exec 7>&-
	wait_until contains "$OUT" "both ways"
	blocked "$JOB" # it has a writer open: itself
}

@test "lines of eight writers are never mixed" {
	run -0 shell 'touch $P
		for who in 1 2 3 4 5 6 7 8; do
			(for ((n = 1; n <= 300; n++)); do echo "writer $who line $n end" >> $P; done) &
		done; wait
		cat $P > "$OUT"; grep -vcE "^writer [1-8] line [0-9]+ end$" "$OUT"; wc -l < "$OUT"
		for who in 1 2 3 4 5 6 7 8; do grep "^writer $who " "$OUT" | sort -ck4n || echo out of order; done'
	[[ $output == $'0\n2400' ]]
}

@test "large blocks of four writers are never mixed" {
	touch "$P"
	exec 7>"$P" # otherwise the reader may find no writer between two of them
	background cat "$P" >"$OUT" 7>&-
	shell 'for c in a b c d; do
			head -c 200000 /dev/zero | tr "\0" $c > "$BATS_TEST_TMPDIR/$c"
			(for n in 1 2 3 4 5; do dd if="$BATS_TEST_TMPDIR/$c" of=$P bs=200000 status=none; done) &
		done; wait'
	exec 7>&-
	wait "$JOB"
	run -0 python3 -c '
import itertools, sys
data = open(sys.argv[1]).read()
print(len(data), all(len(list(run)) % 200000 == 0 for _, run in itertools.groupby(data)))' "$OUT"
	[[ $output == "4000000 True" ]]
}

@test "a file larger than the pipe goes through it whole" {
	head -c 5000000 /dev/urandom >"$BATS_TEST_TMPDIR/in"
	touch "$P"
	background cat "$P" >"$OUT"
	shell 'cp "$BATS_TEST_TMPDIR/in" $P'
	wait "$JOB"
	cmp "$BATS_TEST_TMPDIR/in" "$OUT"
}

# --- a full pipe ----------------------------------------------------------------------------------

block_a_writer() {
	touch "$P"
	fill_pipe
	background dd if=/dev/zero of="$P" bs=100000 count=1 status=none
	wait_until blocked "$JOB"
}

@test "a writer waits for room and then goes on" {
	block_a_writer
	run -0 shell 'head -c 500000 $P | wc -c'
	[[ $output == 500000 ]]
	wait "$JOB"
}

@test "Ctrl-C ends a writer that waits" {
	block_a_writer
	kill -INT "$JOB"
	WITHIN=2 wait_until ended "$JOB"
}

@test "SIGKILL ends a writer that waits" {
	block_a_writer
	kill -KILL "$JOB"
	WITHIN=2 wait_until ended "$JOB"
}

@test "behind a waiting writer every other writer waits interruptibly" {
	block_a_writer
	background bash -c 'echo x > $P'
	background bash -c 'echo x >> $P'
	background tee -a "$P" <<< x >&2
	background cp /etc/passwd "$P"
	background python3 -c 'import os; f = os.open(os.environ["P"], os.O_RDWR); os.write(f, b"x" * 9000)'
	local job
	for job in "${JOBS[@]}"; do wait_until blocked "$job"; done
	no_job_in_d_state
	kill -INT "${JOBS[@]}"
	for job in "${JOBS[@]}"; do WITHIN=3 wait_until ended "$job"; done
}

@test "behind a waiting writer stat, ls, chmod, touch and truncate work" {
	block_a_writer
	WITHIN=5 run -0 shell 'stat $P; ls -l $IPC/pipes; chmod 600 $P; touch $P; exec 7<$P 8>$P'
	WITHIN=5 run -0 shell 'truncate -s 0 $P'
	wait "$JOB"
}

@test "behind a waiting writer mv and rm work, and the name can be used again" {
	block_a_writer
	WITHIN=5 run -0 shell 'mv $P $P.2; rm $P.2; echo hello > $P; cat $P'
	[[ $output == hello ]]
	blocked "$JOB"
	kill -INT "$JOB"
	wait_until ended "$JOB"
}
