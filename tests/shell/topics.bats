#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Topics, as people and services use them: every reader gets every message, and unless full=wait says
# otherwise, no reader ever stops a writer.
# shellcheck shell=bats disable=SC2016,SC2030,SC2031,SC2153,SC2154

load helper
load topics

# --- readers --------------------------------------------------------------------------------------

@test "cat in two terminals: each gets every line" {
	touch "$T"
	reader "$OUT.1" cat "$T"
	reader "$OUT.2" cat "$T"
	for n in 1 2 3; do
		echo "line $n" > "$T"
	done
	wait_until has_lines "$OUT.1" 3
	wait_until has_lines "$OUT.2" 3
	[[ $(cat "$OUT.1") == $'line 1\nline 2\nline 3' ]]
	cmp "$OUT.1" "$OUT.2"
}

@test "without readers a message goes nowhere, and the writer does not wait" {
	WITHIN=5 run -0 shell 'for n in {1..100}; do echo $n > $T; done; head -c 900K /dev/zero | dd of=$T bs=1M iflag=fullblock
		timeout 0.5 cat $T || echo "nothing for who comes late"'
	[[ ${lines[-1]} == "nothing for who comes late" ]]
	[[ $(status_of sent) == 101 && $(status_of messages) == 0 ]]
}

@test "keep=N: a reader begins with the last N messages, or with fewer of them by :M" {
	create keep=3
	shell 'for n in 1 2 3 4 5; do echo $n > $T; done'
	run -124 shell 'timeout 0.5 cat $T'
	[[ $output == $'3\n4\n5' ]]
	run -124 shell 'timeout 0.5 cat $T:2'
	[[ $output == $'4\n5' ]]
	run -124 shell 'timeout 0.5 cat $T:99'
	[[ $output == $'3\n4\n5' ]]
	reader "$OUT" cat "$T:0"
	echo 6 > "$T"
	wait_until has_lines "$OUT" 1
	[[ $(cat "$OUT") == 6 ]]
}

@test "keep=SIZE: what a reader begins with is limited in bytes, and messages stay whole" {
	create keep=1K
	shell 'for n in {100..999}; do echo "$n 67890123456789" > $T; done'
	[[ $(status_of kept) == 53 ]] # of 19 bytes
	run -124 shell 'timeout 0.5 cat $T'
	[[ ${#lines[@]} == 53 && ${lines[0]} == "947 "* && ${lines[-1]} == "999 "* ]]
}

@test "a read takes one message, and what does not fit comes with the next reads of the same file" {
	create keep=10
	shell 'printf "one\ntwo\n" | cat > $T; echo three > $T'
	run -0 shell 'exec 7< $T; head -c 2 <&7; dd bs=100 count=1 status=none <&7; dd bs=100 count=1 status=none <&7'
	[[ $output == $'one\ntwo\nthree' ]]
	run -0 shell 'exec 7< $T; for n in 1 2 3; do read -r line <&7; echo "<$line>"; done'
	[[ $output == $'<one>\n<two>\n<three>' ]]
}

@test "a shell and its children share one reader, two opens are two" {
	create keep=10
	shell 'for n in 1 2 3 4; do echo $n > $T; done'
	run -0 shell 'exec 7< $T; (read -r a <&7; echo $a); (read -r a <&7; echo $a); read -r a < $T; echo $a'
	[[ $output == $'1\n2\n1' ]]
}

@test "no write is mixed with another, and each writer's messages keep their order" {
	create capacity=16M
	reader "$OUT" cat "$T"
	WITHIN=40 shell 'for who in a b c d; do
			/usr/bin/python3 -c "import os, sys
fd = os.open(sys.argv[1], os.O_WRONLY)
for n in range(100): os.write(fd, b\"%s %d %s\n\" % (sys.argv[2].encode(), n, sys.argv[2].encode() * 20000))" $T $who &
		done; wait'
	wait_until has_lines "$OUT" 400
	run -0 awk 'length($3) != 20000 || $3 ~ "[^" $1 "]" { print NR }' "$OUT"
	[[ -z $output ]]
	for who in a b c d; do
		cut -d' ' -f1,2 "$OUT" | sed -n "s/^$who //p" | diff <(seq 0 99) -
	done
}

@test "Ctrl-C ends a reader, and python3's poll reports messages" {
	touch "$T"
	reader "$OUT" cat "$T"
	kill -INT "$JOB"
	wait_until ended "$JOB"
	[[ $(status_of readers) == 0 ]]
	run -0 shell 'python3 -c "import os, select, threading
fd = os.open(os.environ[\"T\"], os.O_RDWR)
p = select.poll(); p.register(fd, select.POLLIN)
assert not p.poll(0)
threading.Timer(0.1, os.write, (fd, b\"news\")).start()
assert p.poll(5000)
print(os.read(fd, 100))"'
	[[ $output == "b'news'" ]]
}

@test "tail -f prints nothing, as the manual says; cat does, and so do sed and awk" {
	create keep=10
	shell 'echo hello > $T'
	run -124 shell 'timeout 0.5 tail -f $T'
	[[ -z $output ]]
	for command in cat 'sed -u ""' 'awk "{ print; fflush() }"' 'grep --line-buffered h'; do
		run -124 shell "timeout 0.5 $command"' $T'
		echo "$command: $output"
		[[ $output == hello ]]
	done
}

# --- services -------------------------------------------------------------------------------------

@test "logger writes to a topic" {
	touch "$T"
	reader "$OUT" cat "$T"
	run -0 shell 'for n in 1 2 3; do logger -s --no-act --socket-errors=off -t service "event $n" 2> $T; done'
	wait_until has_lines "$OUT" 3
	[[ $(grep -c 'service: event [123]$' "$OUT") == 3 ]]
}

# Readers come and go while a service writes its log: some take a line, some are killed, and some are
# stopped and never go on. One reads all the time.
disturb() {
	local n
	for n in {1..10}; do
		background bash -c 'head -n 1 "$T" > /dev/null 2>&1'
		background cat "$T" > /dev/null
		wait_until has_open_below "$JOB" "$IPC"
		if ((n % 2)); then
			kill -STOP "$JOB"
		else
			kill -KILL "$JOB"
		fi
	done
}

@test "python3's logging.FileHandler: no reader ever stops the service" {
	create capacity=4M # so that the one that reads all the time misses nothing
	reader "$OUT" cat "$T"
	/usr/bin/python3 - 2000 3>&- <<-'END' &
		import logging, os, sys, time
		log = logging.getLogger("service")
		log.addHandler(logging.FileHandler(os.environ["T"]))
		longest = 0
		for n in range(int(sys.argv[1])):
		    start = time.monotonic()
		    log.error("line %d %s", n, "." * 1000)
		    longest = max(longest, time.monotonic() - start)
		    time.sleep(0.0005)
		assert longest < 5, longest
	END
	local service=$!
	JOBS+=("$service")
	disturb
	WITHIN=30 wait_until ended "$service"
	wait "$service"
	wait_until has_lines "$OUT" 2000
	awk '{ print $2 }' "$OUT" | diff <(seq 0 1999) -
}

@test "a shell loop: no reader ever stops it, and each is told what it missed" {
	create capacity=4K # readers that are stopped fall behind by more
	reader "$OUT" cat "$T"
	local stays=$JOB
	background bash -c 'for ((n = 1; n <= 1000; n++)); do
		echo "line $n"; ((n % 20)) || sleep 0.01
	done > "$T"'
	local service=$JOB
	disturb
	WITHIN=30 wait_until ended "$service"
	wait "$service"
	wait_until contains "$OUT" "line 1000"
	sort -Cu -k 2n "$OUT"
	[[ $(($(wc -l < "$OUT") + $(missed_by "$stays"))) == 1000 ]]
	[[ $(status_of messages) -lt 260 ]] # each takes 16 or more of the 4096 bytes
}

# --- full= ----------------------------------------------------------------------------------------

@test "full=drop-oldest: a reader that falls behind misses messages, and status says how many" {
	create capacity=4K
	exec 7< "$T"
	shell 'for n in {1..10}; do printf "%d %01000d\n" $n 0 > $T; done'
	[[ $(status_of reader-missed) == 6 && $(status_of reader-behind) == 4 && $(status_of behind) == 4 ]]
	[[ $(status_of reader-pids) == "$BASHPID" && $(status_of sent) == 10 && $(status_of messages) == 4 ]]
	run -0 shell 'for n in 1 2 3 4; do read -r n zeroes; echo $n; done' <&7
	[[ $output == $'7\n8\n9\n10' ]]
	[[ $(status_of reader-missed) == 6 && $(status_of behind) == 0 ]]
	exec 7<&-
}

@test "full=drop-oldest: a message that has been read in part is whole" {
	create capacity=4K
	exec 7< "$T"
	shell 'printf "one %01000d end\n" 0 > $T'
	run -0 head -c 3 <&7
	shell 'for n in {1..10}; do printf "%d %01000d\n" $n 0 > $T; done'
	run -0 shell 'read -r zeroes end; echo "$end"; read -r n zeroes; echo $n' <&7
	[[ $output == $'end\n7' ]]
	exec 7<&-
}

@test "full=wait: a stopped reader stops the writer; Ctrl-C ends its wait, and so does killing the reader" {
	create capacity=4K full=wait
	reader "$OUT" cat "$T"
	local stopped=$JOB
	kill -STOP "$stopped"
	# It may have been given a message before it stopped.
	run --separate-stderr shell 'while dd if=/dev/zero bs=1000 count=1 oflag=nonblock of=$T conv=notrunc status=none; do :; done'
	[[ $stderr == *"Resource temporarily unavailable"* ]]
	[[ $(status_of reader-pids) == "$stopped" && $(status_of reader-behind) == 4 ]]
	background bash -c 'printf "5 %01000d\n" 0 > "$T"'
	wait_until blocked "$JOB"
	kill -INT "$JOB"
	wait_until ended "$JOB"
	reader "$OUT.2" cat "$T"
	background bash -c 'printf "6 %01000d\n" 0 > "$T"'
	wait_until blocked "$JOB"
	kill -KILL "$stopped"
	wait_until ended "$JOB"
	wait_until has_lines "$OUT.2" 1
	[[ $(cut -c1 "$OUT.2") == 6 ]]
}

@test "full=wait: writers wait for no reader that has all, and not for what is only kept" {
	create capacity=4K full=wait keep=100
	WITHIN=10 shell 'for n in {1..50}; do printf "%d %01000d\n" $n 0 > $T; done'
	[[ $(status_of sent) == 50 && $(status_of kept) == 4 ]]
	reader "$OUT" cat "$T"
	WITHIN=10 shell 'for n in {51..100}; do printf "%d %01000d\n" $n 0 > $T; done'
	wait_until has_lines "$OUT" 54
	cut -d' ' -f1 "$OUT" | diff <(seq 47 100) -
}

@test "full=drop-newest: what finds no room is dropped for all" {
	create capacity=4K full=drop-newest
	exec 7< "$T"
	WITHIN=10 shell 'for n in {1..10}; do printf "%d %01000d\n" $n 0 > $T; done'
	[[ $(status_of dropped) == 6 && $(status_of sent) == 10 && $(status_of reader-missed) == 6 ]]
	run -0 shell 'for n in 1 2 3 4; do read -r n zeroes; echo $n; done; echo 11 > $T; read -r n; echo $n' <&7
	[[ $output == $'1\n2\n3\n4\n11' ]]
	exec 7<&-
}

# --- eof= -----------------------------------------------------------------------------------------

@test "eof=auto: cat ends with the last writer, and a reader that comes first waits for one" {
	create eof=auto
	reader "$OUT" cat "$T"
	shell 'seq 3 > $T'
	wait_until ended "$JOB"
	wait "$JOB"
	[[ $(cat "$OUT") == $'1\n2\n3' ]]
	echo "set topics/$NAME keep=10" > "$IPC/ctl"
	WITHIN=5 run -0 shell 'echo kept > $T; cat $T'
	[[ $output == kept ]]
	run -0 shell 'exec 7> $T; timeout 0.5 cat $T || echo waits; exec 7>&-; cat $T'
	[[ $output == $'kept\nwaits\nkept' ]]
	echo "set topics/$NAME eof=never" > "$IPC/ctl"
	run -124 shell 'timeout 0.5 cat $T'
}
