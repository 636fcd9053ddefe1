#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The verb reap, typed and in the configuration: whose objects it removes, which it leaves alone, and
# what it says. leaks.bash has $APP and the functions.
# shellcheck shell=bats disable=SC2016,SC2030,SC2031,SC2034,SC2086,SC2153,SC2154

load leaks.bash

SETUP_OPTIONS=leak_idle=0

# reap_fails TEXT WORD...: ctl refuses the line, and says why.
reap_fails() {
	run -1 shell 'echo "reap ${*:1}" > $IPC/ctl' "${@:2}"
	[[ $output == *"Invalid argument"* ]]
	contains "$IPC/ctl" "$1" || { cat "$IPC/ctl"; return 1; }
}

# --- what is left alone ---------------------------------------------------------------------------

@test "what has been unused for less than idle= or leak_idle= is neither shown nor reaped" {
	dead_program "make:shm:$NAME" "make:queues:$NAME" "make:sysv/shm:$KEY"
	remount leak_idle=10m
	age
	run -0 cat "$IPC/info/leaks"
	[[ $output == "# "*" 600 seconds"* && $output != *"$NAME"* && $output != *"$KEY"* ]]
	for kind in shm $QUEUES sysv/shm; do
		[[ $(reap $kind owner="$APP") == "reap $kind: 0 removed, 0 bytes"* ]]
		[[ $(reap $kind owner="$APP" idle=1h) == "reap $kind: 0 removed, 0 bytes"* ]]
	done
	there "shm/$NAME" && there "queues/$NAME" && there "sysv/shm/$KEY"
	contains <(reap shm idle=1) "  shm/$NAME, owner $APP: no process has it open or mapped"
	[[ -z $QUEUES ]] || contains <(reap queues idle=1) "  queues/$NAME, owner $APP: "
	contains <(reap sysv/shm idle=1) "  sysv/shm/$KEY, owner $APP: its maker has ended, and nobody is attached"
}

@test "what a process has open only through the mount" {
	dead_program "make:shm:$NAME" "make:sems:$NAME" "make:queues:$NAME"
	AS=0 program "open:file:$S" "open:file:$IPC/sems/$NAME" "open:file:$Q"
	used "shm/$NAME" "sems/$NAME" "queues/$NAME"
	kill -KILL "$JOB"
	wait_until ended "$JOB"
	unused "shm/$NAME" "sems/$NAME" ${QUEUES:+"queues/$NAME"}
}

@test "what a process of another mount namespace has open, whose /dev/shm is another" {
	dead_program "make:shm:$NAME" "make:sems:$NAME" "make:fifo:$P"
	background unshare -m --propagation private sh -c 'exec 7< "/dev/shm/$NAME" 8< "/dev/shm/sem.$NAME" 9<> "$P"
		mount -t tmpfs none /dev/shm; umount "$IPC"; echo ready; exec sleep 60' > "$OUT"
	wait_until grep -q ready "$OUT"
	used "shm/$NAME" "sems/$NAME" "pipes/$NAME"
	kill -KILL "$JOB"
	wait_until ended "$JOB"
	is_off prune || unused "pipes/$NAME"
	unused "shm/$NAME" "sems/$NAME"
}

# --- whose ----------------------------------------------------------------------------------------

@test "an ordinary user sees and reaps the user's own, and hears nothing of others'" {
	dead_program "make:shm:$NAME" "make:queues:$NAME" "make:file:$P" "make:sysv/shm:$KEY"
	AS=$OTHER dead_program "make:shm:$NAME.o" "make:queues:$NAME.o" "make:file:$P.o"
	age
	wait_until is_leaked "pipes/$NAME"
	wait_until is_leaked "pipes/$NAME.o"
	run -0 as_user "$OTHER" awk '/^ *[0-9]/ { print $3, $4 }' "$IPC/info/leaks"
	[[ $(awk '{ print $2 }' <<<"$output" | sort) == "$(printf '%s\n' "pipes/$NAME.o" ${QUEUES:+"queues/$NAME.o"} "shm/$NAME.o")" ]]
	[[ $(awk '{ print $1 }' <<<"$output" | sort -u) == @(nobody|"$OTHER") ]]
	for kind in shm $QUEUES pipes sysv/shm; do
		run -0 as_user "$OTHER" sh -c "echo reap $kind owner=$APP > \$IPC/ctl; sed -n '/report/,/^\$/p' \$IPC/ctl"
		[[ $output == "# Your last report:"$'\n'"reap $kind: 0 removed, 0 bytes"* ]]
		run -0 as_user "$OTHER" sh -c "echo reap $kind > \$IPC/ctl; sed -n '/report/,/^\$/p' \$IPC/ctl"
		[[ $output != *"$APP"* && $output != *error* ]]
		[[ $kind == sysv/shm || $output == *"  $kind/$NAME.o, owner $OTHER: "* ]]
		[[ $kind == sysv/shm ]] || gone "$kind/$NAME.o"
	done
	there "shm/$NAME" && there "queues/$NAME" && there "pipes/$NAME" && there "sysv/shm/$KEY"
	[[ $(as_user "$APP" cat "$IPC/ctl") != *report* ]] # each user's own
}

@test "owner= picks one user's" {
	dead_program "make:shm:$NAME" "make:queues:$NAME"
	AS=$OTHER dead_program "make:shm:$NAME.o" "make:queues:$NAME.o"
	age
	[[ $(reap shm owner="$OTHER") == *"reap shm: 1 removed, 4096 bytes"*"shm/$NAME.o, owner $OTHER: "* ]]
	[[ -n $QUEUES ]] || return 0
	[[ $(reap queues owner="$APP") == *"reap queues: 1 removed, "*"queues/$NAME, owner $APP: "* ]]
	there "shm/$NAME" && gone "shm/$NAME.o"
	gone "queues/$NAME" && there "queues/$NAME.o"
	contains <(reap queues owner=nobody) "queues/$NAME.o, owner $OTHER: "
}

# --- names and words ------------------------------------------------------------------------------

@test "names with every sort of byte are shown quoted, and reaped" {
	local name names=('a b' $'a\nb' 'a"b' "a'b" '<script>alert(1)</script>' $'a\xff\xfeb' $'a\x1b[31m' 'a\b' '# x' '-rf')
	for name in "${names[@]}"; do
		name=${name//\//_}
		as_user "$APP" sh -c ': > "/dev/shm/$NAME$0"' "$name"
		as_user "$APP" "$MQ" create "$NAME$name" 1 8
	done
	age
	[[ $(grep -c "$NAME" "$IPC/info/leaks") == $((${#names[@]} * (1 + ${#QUEUES} / 6))) ]]
	[[ $(grep -c '[[:cntrl:]]' "$IPC/info/leaks") == 0 ]]
	python3 -c 'import os; open(os.environ["IPC"] + "/info/leaks", encoding="utf-8").read()'
	awk -v n="$NAME" 'index($0, n) && NF < 5 { exit 1 }' "$IPC/info/leaks"
	for kind in shm $QUEUES; do
		reap $kind owner="$APP" > "$OUT"
		[[ $(head -n1 "$OUT") == "reap $kind: ${#names[@]} removed, "* ]]
		[[ $(grep -c "^  $kind/$NAME.*, owner $APP: " "$OUT") == "${#names[@]}" ]]
		[[ $(grep -c '[[:cntrl:]]' "$OUT") == 0 ]]
		[[ $(find "$IPC/$kind" -name "$NAME*") == "" ]]
	done
}

@test "a bad line is refused with the reason" {
	reap_fails "every=: only in the configuration; leave it out" shm every=10m
	reap_fails "reap: KIND is missing"
	reap_fails "nosuch: not a kind" nosuch
	reap_fails "shm/$NAME: not a kind" "shm/$NAME"
	reap_fails "sockets/tcp: objects of this kind do not leak" sockets/tcp
	reap_fails "signals: objects of this kind do not leak" signals
	reap_fails "size: no such key for reap (idle, owner, dry, every)" shm size=4K
	reap_fails "mode: no such key for reap (idle, owner, dry, every)" shm mode=0600
	reap_fails "now: not of the form KEY=VALUE" shm now
	reap_fails "idle=10x: not a time; 90, 10m, 1h and 7d are" shm idle=10x
	reap_fails "idle=-1: not a time" shm idle=-1
	reap_fails "idle=: not a time" shm idle=
	reap_fails "idle=99999999999999999999: not a time" shm idle=99999999999999999999
	reap_fails "dry=maybe: neither yes nor no" shm dry=maybe
	reap_fails "owner=nosuchuser" shm owner=nosuchuser
}

regions() {
	find /dev/shm -name "$NAME*" | wc -l
}

@test "Ctrl-C ends a reap of many objects, and leaves the mount as it was" {
	python3 -c 'import os
for n in range(20000): os.close(os.open("/dev/shm/%s.%d" % (os.environ["NAME"], n), os.O_CREAT, 0o600))'
	age
	background sh -c 'echo reap shm > "$IPC/ctl"' 2> "$OUT"
	reaping=$JOB
	wait_until eval '(($(regions) < 20000))'
	kill -INT -- "$(pgrep -P "$reaping" || echo "$reaping")"
	wait_until ended "$reaping"
	left=$(regions)
	((left > 100)) # or it was over before the signal came
	stat -f "$IPC" > /dev/null
	[[ $(regions) == "$left" ]]
	[[ $(reap shm | head -n1) == "reap shm: "*" removed, 0 bytes" ]]
	[[ $(reap shm) == "reap shm: 0 removed, 0 bytes"* ]]
}

# --- the configuration ----------------------------------------------------------------------------

# configure: mounts $IPC again with stdin as its configuration file $CONFIG, and $LOG.
configure() {
	CONFIG="$BATS_TEST_TMPDIR/ipcfs.conf" LOG="$BATS_TEST_TMPDIR/log"
	cat > "$CONFIG"
	remount "leak_idle=0,config=$CONFIG" 2> "$LOG"
}

timers() {
	find "/proc/${DAEMON[$IPC]}/fd" -lname '*timerfd*' | wc -l
}

@test "every= reaps what is left behind, again and again, logs it, and keeps what the file names" {
	dead_program "make:shm:$NAME"
	configure <<-END
		create shm/$NAME.kept size=4K
		reap shm idle=1 every=1s owner=$APP
	END
	chown "$APP" "/dev/shm/$NAME.kept"
	wait_until gone "shm/$NAME"
	contains "$LOG" "reap: shm/$NAME, owner $APP, 4096 bytes: no process has it open or mapped"
	AS=$OTHER dead_program "make:shm:$NAME.other"
	dead_program "make:shm:$NAME.2"
	wait_until contains "$LOG" "shm/$NAME.2, owner $APP, 4096 bytes"
	there "shm/$NAME.kept"
	there "shm/$NAME.other"
	reap shm idle=0
	there "shm/$NAME.kept" && gone "shm/$NAME.other"
	[[ $(leaked) != *"$NAME.kept"* ]]
}

@test "SIGHUP reads the intervals anew, and does not double them" {
	configure <<-END
		reap shm every=1h
		reap queues every=1h idle=1d
	END
	n=$(timers)
	for _ in 1 2 3; do
		kill -HUP "${DAEMON[$IPC]}"
		touch "$IPC/pipes/$NAME" && rm "$IPC/pipes/$NAME"
	done
	[[ $(timers) == "$n" ]]
	dead_program "make:shm:$NAME"
	printf 'reap shm every=1s idle=0\n' > "$CONFIG"
	kill -HUP "${DAEMON[$IPC]}"
	wait_until gone "shm/$NAME"
	[[ $(timers) == $((n - 1)) ]]
	: > "$CONFIG"
	kill -HUP "${DAEMON[$IPC]}"
	wait_until eval '(($(timers) == n - 2))'
}

@test "a bad interval is reported with file and line" {
	configure <<-END
		reap shm every=0
		reap shm every=soon
		reap nosuch every=1m
	END
	contains "$LOG" "$CONFIG:1: every=0: must not be 0"
	contains "$LOG" "$CONFIG:2: every=soon: not a time"
	contains "$LOG" "$CONFIG:3: nosuch: not a kind"
}

# --- PostgreSQL -----------------------------------------------------------------------------------

# Starts PostgreSQL with segments of both sorts. $APP becomes its user, $SERVER its first process, $SYSV
# and $POSIX what these segments are called in the mount.
start_postgres() {
	export BIN
	BIN=$(printf '%s\n' /usr/lib/postgresql/*/bin | tail -n1)
	[[ -x $BIN/initdb ]] || skip "no PostgreSQL here: scripts/setup"
	APP=$(id -u postgres)
	make_directory
	chown "$APP" "$D"
	background setpriv --reuid="$APP" --regid=postgres --clear-groups bash -c '
		"$BIN/initdb" -D "$D/data" -A trust -N -U postgres && exec "$BIN/postgres" -D "$D/data" -k "$D" -h "" \
			-c shared_memory_type=sysv -c dynamic_shared_memory_type=posix' > "$OUT" 2>&1
	SERVER=$JOB
	WITHIN=60 wait_until query || { cat "$OUT"; return 1; }
	SYSV=sysv/shm/$(ipcs -m | awk -v id="$(ipcs -mp | awk -v pid="$SERVER" '$3 == pid { print $1 }')" '$2 == id { print $1 }')
	POSIX=shm/$(tr '\0' '\n' < "/proc/$SERVER/maps" | sed -n 's:.*/dev/shm/\(PostgreSQL[^ ]*\).*:\1:p' | sort -u)
	there "$SYSV" && there "$POSIX"
}

query() { # with a worker, which needs a segment of its own
	[[ $(timeout 20 "$BIN/psql" -X -h "$D" -U postgres -At -c "set parallel_setup_cost = 0" -c "set parallel_tuple_cost = 0" \
		-c "select count(*) > 300 from pg_class, pg_am" postgres 2>/dev/null) == *t ]]
}

# Kills all its processes: none may end in order, and tidy up.
kill_postgres() {
	local pids
	kill -STOP "$SERVER"
	mapfile -t pids < <(pgrep -P "$SERVER")
	kill -KILL "$SERVER" "${pids[@]}"
	for pid in "$SERVER" "${pids[@]}"; do
		wait_until ended "$pid"
	done
}

@test "PostgreSQL at work is left alone, and answers" {
	start_postgres
	used "$SYSV" "$POSIX"
	for kind in shm sems queues pipes topics events sysv/shm sysv/queues sysv/sems; do
		reap $kind idle=0
	done
	there "$SYSV" && there "$POSIX"
	query
	kill_postgres
}

@test "PostgreSQL left dead by kill -9: its segments are shown, and reaped" {
	start_postgres
	kill_postgres
	unused "$SYSV" "$POSIX"
}
