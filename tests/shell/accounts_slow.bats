#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Lines that wait for the name service: what goes on meanwhile, Ctrl-C, and the end of the mount.
# shellcheck shell=bats disable=SC2016,SC2030,SC2031,SC2153,SC2154

load accounts

# --- one line that waits --------------------------------------------------------------------------

@test "each name of a line is looked up once" {
	local line
	while read -r line; do
		forget_asked
		run -0 shell 'echo "$1" > $CTL' "$line owner=slow-23001 group=slow-23002 mode=0640"
		asked "user slow-23001" "group slow-23002"
	done < <(lines)
	are 23001 23002 640
}

@test "each name of a user's line is looked up once" {
	local line
	while read -r line; do
		forget_asked
		run -0 as 23001 23002 bash -c 'echo "$1" > $CTL' bash "$line group=slow-23002 owner=slow-23001 mode=0640"
		asked "user slow-23001" "group slow-23002"
	done < <(lines)
	are 23001 23002 640
}

@test "while a line waits, everything else goes on and the daemon stays idle" {
	slow slow-23001 slow-23002
	write_as 23001 23002 "$OUT" "create queues/$NAME owner=slow-23001 group=slow-23002 mode=0640"
	wait_until asked "user slow-23001"
	run -0 as 23003 23002 bash -c 'ls $IPC/queues; echo hello > $Q.2; first $Q.2; cat $CTL > /dev/null
		echo "create queues/$NAME.3 owner=slow-23003 group=extra-group" > $CTL; rm $Q.3'
	run -0 shell 'echo "create pipes/$NAME owner=extra-user" > $CTL; echo "remove pipes/$NAME" > $CTL'
	answer slow-23001
	wait_until asked "user slow-23001" "user slow-23003" "group slow-23002"
	idle
	[[ ! -e $Q ]]
	answer slow-23002
	result "$JOB" "$OUT" all
	is "$Q" 23001 23002 640
	asked "user slow-23001" "user slow-23003" "group slow-23002"
}

# The daemon uses next to no processor time for half a second.
idle() {
	local before after
	before=$(awk '{ print $14 + $15 }' "/proc/${DAEMON[$IPC]}/stat")
	sleep 0.5
	after=$(awk '{ print $14 + $15 }' "/proc/${DAEMON[$IPC]}/stat")
	((after - before <= 5))
}

@test "lines of two users at the same time each get their own accounts" {
	local first second
	slow slow-23002 slow-23004
	write_as 23001 23002 "$OUT.1" "create queues/$NAME group=slow-23002"
	first=$JOB
	write_as 23003 23004 "$OUT.2" "create queues/$NAME.2 group=slow-23004"
	second=$JOB
	wait_until asked "group slow-23002" "group slow-23004"
	answer slow-23004
	result "$second" "$OUT.2" all
	[[ ! -e $Q ]]
	answer slow-23002
	result "$first" "$OUT.1" all
	is "$Q" 23001 23002 644
	is "$Q.2" 23003 23004 644
}

@test "two users who name the same account each look it up, and get the same answer" {
	local first
	slow slow-23002
	write_as 23001 23002 "$OUT.1" "create pipes/$NAME group=slow-23002"
	first=$JOB
	write_as 23003 23002 "$OUT.2" "create pipes/$NAME.2 group=slow-23002"
	wait_until asked "group slow-23002"{,}
	interrupt "$first" "$OUT.1"
	answer slow-23002
	result "$JOB" "$OUT.2" all
	is "$P.2" 23003 23002 644
	[[ ! -e $P ]]
}

@test "several lines of one user can wait, and they end in any order" {
	local first
	slow slow-23002 slow-23001
	write_as 23001 23002 "$OUT.1" "create queues/$NAME group=slow-23002"
	first=$JOB
	write_as 23001 23002 "$OUT.2" "create queues/$NAME.2 owner=slow-23001"
	wait_until asked "group slow-23002" "user slow-23001"
	answer slow-23001
	result "$JOB" "$OUT.2" all
	answer slow-23002
	result "$first" "$OUT.1" all
	is "$Q" 23001 23002 644
	is "$Q.2" 23001 23001 644
}

@test "two writes to one open file are done in order" {
	local first
	slow slow-23001
	exec 7>"$CTL"
	background python3 "$HERE/ctl_write.py" 7 "create pipes/$NAME owner=slow-23001" >"$OUT.1"
	first=$JOB
	wait_until asked "user slow-23001"
	background python3 "$HERE/ctl_write.py" 7 "set pipes/$NAME mode=0600" >"$OUT.2"
	exec 7>&-
	wait_until in_write "$JOB"
	run ! timeout 0.5 tail --pid="$JOB" -f /dev/null
	answer slow-23001
	result "$first" "$OUT.1" all
	result "$JOB" "$OUT.2" all
	is "$P" 23001 0 600
}

in_write() { # PID: the process sleeps in write(2)
	[[ $(cut -d' ' -f1 "/proc/$1/syscall") == 1 ]]
}

three_lines() {
	printf 'create pipes/%s\n' "$NAME" "$NAME.2 owner=slow-23001 group=slow-23002" "$NAME.3"
}

@test "a write of three lines whose second waits is done in full" {
	slow slow-23001 slow-23002
	write_as 23001 23002 "$OUT" "$(three_lines)"
	wait_until asked "user slow-23001"
	[[ -e $P && ! -e $P.3 ]]
	answer slow-23001
	wait_until asked "user slow-23001" "group slow-23002"
	[[ ! -e $P.2 && ! -e $P.3 ]]
	answer slow-23002
	result "$JOB" "$OUT" all
	is "$P" 23001 23001 644
	is "$P.2" 23001 23002 644
	is "$P.3" 23001 23001 644
}

@test "Ctrl-C during the second of three lines reports that the first was done" {
	slow slow-23001
	write_as 23001 23002 "$OUT" "$(three_lines)"
	wait_until asked "user slow-23001"
	kill -INT "$JOB"
	WITHIN=2 result "$JOB" "$OUT" $((${#NAME} + 14))
	[[ -e $P && ! -e $P.2 && ! -e $P.3 ]]
	run -0 as 23001 23002 cat "$CTL"
	[[ $output != *"last error"* ]]
}

@test "a last line without a newline is looked up after the file is closed" {
	local last="create pipes/$NAME owner=slow-23001"
	slow slow-23001
	# As stdio writes it: a piece of 4096 bytes. The rest of the line could still come.
	shell 'printf "#%*s\n%s" $((4094 - ${#1})) x "$1" > $CTL' "$last"
	wait_until asked "user slow-23001"
	[[ ! -e $P ]]
	answer slow-23001
	wait_until test -e "$P"
	is "$P" 23001 0 644
}

# --- Ctrl-C ---------------------------------------------------------------------------------------

# interrupted UID GROUP: for every kind, during the first lookup, then during the second.
interrupted() {
	local line name

	slow slow-23001 slow-23002
	for name in slow-23001 slow-23002; do
		while read -r line; do
			forget_asked
			write_as "$1" "$2" "$OUT" "$line"
			wait_until grep -q " $name" "$IPCFS_NSS/asked"
			interrupt "$JOB" "$OUT"
			no_object
		done < <(lines owner=slow-23001 group=slow-23002 mode=0640)
		answer "$name"
	done
	run -0 as "$1" "$2" bash -c 'echo "$1" > $CTL' bash "$(lines owner=slow-23001 group=slow-23002 mode=0640)"
	are 23001 23002 640
}

@test "Ctrl-C during a lookup for a user's line ends it, and leaves nothing half made" {
	interrupted 23001 23002
}

@test "Ctrl-C during a lookup for root's line ends it, and leaves nothing half made" {
	interrupted 0 0
}

@test "Ctrl-C ends a line at once even where the lookup itself goes on" {
	slow deaf-23002
	write_as 23001 23002 "$OUT" "create queues/$NAME group=deaf-23002"
	wait_until asked "group deaf-23002"
	interrupt "$JOB" "$OUT"
	no_object
	write_as 23001 23002 "$OUT" "create queues/$NAME group=deaf-23002"
	wait_until asked "group deaf-23002"{,}
	answer deaf-23002
	result "$JOB" "$OUT" all
	is "$Q" 23001 23002 644
}

@test "Ctrl-C at any moment leaves all of a line's work or none" {
	local all user
	mapfile -t all < <(lines owner=slow-23001 group=slow-23002)
	for user in 23001 0; do
		run -0 timeout 60 setpriv --reuid="$user" --regid="$user" --groups=23002 \
			python3 "$HERE/ctl_interrupt.py" "$IPC" 500 23002 "${all[@]}"
		[[ $output == done*interrupted* ]]
		wait_until no_object
	done
}

@test "a user who stops the process that makes a queue gets no queue, and others still get theirs" {
	run -0 as 23001 23002 python3 "$HERE/ctl_stop.py" "$CTL" "${DAEMON[$IPC]}" "$NAME" group=slow-23002 mode=0640
	[[ $output == EINTR ]]
	run -1 as 23001 23002 bash -c 'echo "create queues/$NAME" > $CTL'
	[[ $output == *"resource busy"* ]]
	run -0 as 23003 23002 bash -c 'echo "create queues/$NAME.2 group=slow-23002" > $CTL; touch $Q.3; ls $IPC/queues'
	is "$Q.2" 23003 23002 644
	[[ ! -e $Q ]]
	# The stopped process is forgotten soon.
	WITHIN=10 wait_until as 23001 23002 bash -c 'echo "create queues/$NAME group=slow-23002 mode=0640" > $CTL'
	is "$Q" 23001 23002 640
}

# --- the end of the mount -------------------------------------------------------------------------

# killed NAME: SIGTERM while lines wait for the name. teardown checks how the daemon ended.
killed() {
	local first
	slow "$1"
	write_as 23001 23002 "$OUT.1" "create queues/$NAME group=$1"
	first=$JOB
	write_as 0 0 "$OUT.2" "create pipes/$NAME owner=$1"
	wait_until asked "group $1" "user $1"
	kill -TERM "${DAEMON[$IPC]}"
	wait_until ended "${DAEMON[$IPC]}"
	result "$first" "$OUT.1" ENOTCONN
	result "$JOB" "$OUT.2" ENOTCONN
	[[ ! -e $NATIVE_MQ/$NAME ]]
}

@test "SIGTERM ends waiting lines and the daemon" {
	killed slow-23002
}

@test "SIGTERM ends waiting lines even where no signal ends the lookup" {
	# The memory that the abandoned thread uses is not freed.
	export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0"
	configure </dev/null
	killed deaf-23002
}

@test "SIGTERM while a line of the configuration file waits ends the daemon without a fault" {
	configure </dev/null
	printf '%s\n' "create queues/$NAME owner=slow-23001" "create shm/$NAME" >"$CONFIG"
	slow slow-23001
	hangup
	hangup
	wait_until asked "user slow-23001"
	kill -TERM "${DAEMON[$IPC]}"
	wait_until ended "${DAEMON[$IPC]}"
	no_fault
	[[ ! -e $NATIVE_MQ/$NAME && ! -e /dev/shm/$NAME ]]
}

@test "umount is refused while a line waits, and after umount -l the line is done" {
	slow slow-23002
	write_as 23001 23002 "$OUT" "create queues/$NAME group=slow-23002"
	wait_until asked "group slow-23002"
	run ! umount "$IPC"
	umount -l "$IPC"
	answer slow-23002
	result "$JOB" "$OUT" all
	wait_until ended "${DAEMON[$IPC]}"
	is "$NATIVE_MQ/$NAME" 23001 23002 644
}
