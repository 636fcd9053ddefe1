#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What each operation costs, in terms that do not depend on time: requests, system calls,
# allocations and instructions. Each bound is a little above what was counted when it was set. An
# operation that exceeds its bound has become more expensive. If an operation stays far below, its
# bound may be lowered.
# shellcheck disable=SC2016,SC2034

load ../shell/helper

: "${EXCHANGE:?the full path of exchange}" "${ALLOCATIONS_LIB:?that of the library}"

N=1000 # messages counted

setup() {
	[[ $(id -u) == 0 ]] || skip "only root can mount here"
	mountpoint -q "$FUSECTL" || mount -t fusectl none "$FUSECTL"
	NAME="ipcfs-cost-$$-$BATS_TEST_NUMBER"
	IPC=$(new_directory)
	NATIVE_MQ=$(new_directory)
	mount -t mqueue none "$NATIVE_MQ"
	LOG=$BATS_TEST_TMPDIR/log OUT=$BATS_TEST_TMPDIR/out
	export IPC P="$IPC/pipes/$NAME" Q="$IPC/queues/$NAME"
}

# start COMMAND...: mounts at $IPC with a daemon run by COMMAND.
start() {
	"$@" 3>&- &
	wait_until is_mounted_or_dead "$IPC" $!
	look_after "$IPC" $!
	wait_until test -e "$IPC/README"
}

# Waits until the daemon has done all that was asked of it.
settle() {
	stat -f "$IPC" >/dev/null
}

is_sanitized() {
	ldd "$IPCFS" | grep -qE 'lib(asan|ubsan)'
}

# --- requests -------------------------------------------------------------------------------------

# requests COMMAND [BEFORE]: prints each kind of request that a shell command makes, and how many.
# BEFORE runs first, or COMMAND itself. A STATFS after each of the two separates their requests.
# Requests that the kernel makes only after a time, only once, or in batches are left out.
requests() {
	shell "{ ${2:-$1}"'; } >/dev/null; stat -f "$IPC" >/dev/null; {'" $1"'; } >/dev/null; stat -f "$IPC" >/dev/null'
	grep -aoP 'opcode: \K[A-Z_]+' "$LOG" | gawk '
		$1 == "STATFS" { last = n; n = NR; for (k in before) delete before[k]
			for (k in now) before[k] = now[k]; for (k in now) delete now[k]; next }
		$1 !~ /FORGET|GETATTR|GETXATTR/ { now[$1]++ }
		END { for (k in before) print k, before[k] }' | sort | paste -sd ' '
}

# must_make REQUESTS COMMAND [BEFORE]: succeeds if COMMAND makes exactly these requests.
must_make() {
	local made

	made=$(requests "${@:2}")
	echo "$made"
	[[ $made == "$1" ]]
}

start_talking() { # [ARGUMENT...]
	start "$IPCFS" "$IPC" -f -d "$@" 2>"$LOG"
}

@test "echo to a FIFO: LOOKUP" {
	start_talking
	must_make "LOOKUP 1" 'echo message > $P'
}

# Each close(2) is a request, because it ends locks, and bash closes a redirection's target twice.
@test "echo to a served pipe: LOOKUP, OPEN, WRITE, and two FLUSHes" {
	start_talking -o pipe_served=daemon
	must_make "FLUSH 2 LOOKUP 1 OPEN 1 RELEASE 1 WRITE 1" 'echo message > $P'
}

@test "echo to a queue: LOOKUP, OPEN, WRITE, and two FLUSHes" {
	start_talking
	must_make "FLUSH 2 LOOKUP 1 OPEN 1 RELEASE 1 WRITE 1" 'echo message > $Q'
}

# The answer to CREATE makes the kernel look again, from the root. The daemon then opens the FIFO.
@test "a new FIFO by echo: LOOKUP, CREATE, the whole path again, and the daemon's own open" {
	start_talking
	must_make "CREATE 1 LOOKUP 4" 'echo message > $P' 'stat $IPC/pipes'
}

@test "a new served pipe by echo: LOOKUP, CREATE, WRITE, and two FLUSHes" {
	start_talking -o pipe_served=daemon
	must_make "CREATE 1 FLUSH 2 LOOKUP 1 RELEASE 1 WRITE 1" 'echo message > $P' 'stat $IPC/pipes'
}

# The IOCTL is bash's: it asks whether this is a terminal.
@test "read from a queue, a byte at a time: one READ each" {
	start_talking
	must_make "FLUSH 2 IOCTL 1 LOOKUP 1 OPEN 1 READ 8 RELEASE 1" 'read -r line < $Q' 'echo 1234567 > $Q'
}

# Listed entries are valid for a moment only. On a busy machine ls may come too late, but not every
# time.
lists() {
	requests 'ls -l $IPC/pipes' >"$OUT"
	cat "$OUT"
	contains "$OUT" READDIRPLUS && [[ $(grep -oP 'LOOKUP \K\d+' "$OUT" || echo 0) -lt 1000 ]]
}

@test "ls -l asks for little more than the list" {
	start_talking
	shell 'for i in {1..1000}; do : > $P-$i; done'
	lists || lists || lists
}

# --- what a message costs the daemon --------------------------------------------------------------

# serve NAME: makes NAME in pipes/ a pipe that the daemon serves.
serve() {
	echo "create pipes/$1 served=daemon" >"$IPC/ctl"
}

# exchange_on fifo|pipe|queue|pipes|queues TIMES
exchange_on() {
	case $1 in
	fifo) : >"$P" && timeout -k 1 60 "$EXCHANGE" "$P" "$2" ;;
	pipe) serve "$NAME" && timeout -k 1 60 "$EXCHANGE" "$P" "$2" ;;
	queue) : >"$Q" && timeout -k 1 60 "$EXCHANGE" "$Q" "$2" ;;
	pipes) serve "$NAME" && serve "$NAME-back" && timeout -k 1 60 "$EXCHANGE" "$P" "$P-back" "$2" ;;
	queues) : >"$Q" && : >"$Q-back" && timeout -k 1 60 "$EXCHANGE" "$Q" "$Q-back" "$2" ;;
	esac
}

# per_message COUNT KIND: sets COST to what one more message costs the daemon. COUNT is a function
# below, which sets TOTAL. Its arguments are the work to give the daemon.
per_message() {
	local few

	"$1" exchange_on "$2" 100
	few=$TOTAL
	"$1" exchange_on "$2" $((100 + N))
	COST=$(((TOTAL - few + N / 2) / N))
	echo "$1, $2: $COST for each message"
}

# at_most BOUND COUNT KIND: succeeds if COST is no more than BOUND in the best of three tries. On a
# busy machine the daemon looks for the next request in vain more often, which is not its own doing.
at_most() {
	local try

	for try in 1 2 3; do
		per_message "$2" "$3"
		((COST > $1)) || return 0
		echo "try $try: more than $1"
	done
	return 1
}

end_daemon() {
	kill -TERM "${DAEMON[$IPC]}"
	wait "${DAEMON[$IPC]}"
	kill "${WATCHDOG[$IPC]}" 2>/dev/null || true
	unset "DAEMON[$IPC]" "WATCHDOG[$IPC]"
	MOUNTS=()
}

# Calls that found nothing to do, and those in which the daemon sleeps, are not counted: how many
# there are depends on timing. For the same reason the daemon must not spin for requests.
count_calls() {
	rm -f "$LOG"
	start strace -D -f -c -o "$LOG" "$IPCFS" "$IPC" -f -o spin=0
	"$@"
	end_daemon
	wait_until contains "$LOG" total
	TOTAL=$(awk '$4 ~ /^[0-9]+$/ && $NF !~ /^(total|epoll_.*)$/ { n += $4 - (NF > 5 ? $5 : 0) }
		END { print n }' "$LOG")
}

count_allocations() {
	: >"$LOG"
	start env ALLOCATIONS="$LOG" LD_PRELOAD="$ALLOCATIONS_LIB" "$IPCFS" "$IPC" -f
	"$@"
	end_daemon
	TOTAL=$(od -An -tu8 "$LOG")
}

count_instructions() {
	start valgrind -q --tool=callgrind --callgrind-out-file="$LOG" "$IPCFS" "$IPC" -f -o spin=0
	"$@"
	end_daemon
	TOTAL=$(awk '/^(summary|totals):/ { print $2; exit }' "$LOG")
}

@test "a message that is written to a FIFO and read costs nothing" {
	per_message count_calls fifo
	((COST == 0))
	per_message count_allocations fifo
	((COST == 0))
}

@test "system calls for a message that is written and read" {
	per_message count_calls pipe
	((COST <= 6))
	per_message count_calls queue
	((COST <= 6))
}

@test "system calls for a message there and one back, to readers that wait" {
	per_message count_calls pipes
	((COST <= 10))
	per_message count_calls queues
	((COST <= 12))
}

# libfuse makes one allocation for each request.
@test "allocations for a message: none of our own" {
	! is_sanitized || skip "not under sanitizers: they allocate themselves"
	per_message count_allocations pipe
	((COST <= 2))
	per_message count_allocations queue
	((COST <= 2))
}

@test "allocations for a message there and one back: none of our own" {
	! is_sanitized || skip "not under sanitizers: they allocate themselves"
	per_message count_allocations pipes
	((COST <= 4))
	per_message count_allocations queues
	((COST <= 4))
}

@test "instructions for a message that is written and read" {
	! is_sanitized || skip "not under sanitizers: they add instructions"
	[[ ${OPTIMIZATION:-0} == [23s] ]] || skip "not without optimization"
	# The cost is higher if the reader waits for each message, as on a busy machine.
	at_most 3800 count_instructions pipe
	at_most 4050 count_instructions queue
}

# --- what a supervisor costs ----------------------------------------------------------------------

# weigh PID: prints the KiB of a process and of all that it has started. What several processes share
# counts by parts.
weigh() {
	local pid
	awk '$1 == "Pss:" { print $2 }' "/proc/$1/smaps_rollup"
	for pid in $(pgrep -P "$1"); do
		weigh "$pid"
	done
}

# Sets TOTAL to what the mount takes when it has nothing to do.
weigh_mount() {
	settle
	TOTAL=$(($(weigh "${DAEMON[$IPC]}" | paste -sd +)))
}

serving() {
	ps --ppid "${DAEMON[$IPC]}" -o pid=,comm= | awk '$2 == "ipcfs" { print $1; exit }'
}

@test "memory of an idle mount with a supervisor: less than 4 MiB more" {
	local alone supervised adopted
	start "$IPCFS" "$IPC" -f -o supervise=no
	weigh_mount
	alone=$TOTAL
	end_daemon
	start "$IPCFS" "$IPC" -f -o supervise=yes
	weigh_mount
	supervised=$TOTAL
	kill -KILL "$(serving)"
	weigh_mount
	adopted=$TOTAL
	end_daemon
	echo "KiB: $alone without, $supervised with one, $adopted when it has started another daemon"
	((alone > 1000 && supervised > 1000 && adopted > 1000))
	((supervised < alone + 4096 && adopted < alone + 4096))
}
