#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# System V objects: what ipcs, ipcmk and ipcrm know, and what a shell does with them. Each test has
# keys that no other test has: $KEY, and $FILE as the mount names it.
# shellcheck shell=bats disable=SC2016,SC2030,SC2031,SC2153,SC2154

load helper

setup() {
	ipcfs_setup
	KEY=$(printf '0x%x' $((0x40000000 | ($$ & 0x3fffff) << 8 | BATS_TEST_NUMBER)))
	FILE=$(printf '0x%08x' "$KEY")
	export KEY FILE SQ="$IPC/sysv/queues/$FILE" SM="$IPC/sysv/shm/$FILE" SS="$IPC/sysv/sems/$FILE"
}

teardown() {
	[[ -n ${KEY:-} ]] || return 0
	ipcrm -Q "$KEY" -M "$KEY" -S "$KEY" 2>/dev/null || true
	ipcfs_teardown
}

ipcs_of() { # q|m|s: what ipcs prints after the identifier of the object with our key
	ipcs "-$1" | awk -v key="$FILE" '$1 == key { sub(/^[^ ]+ +[^ ]+ +/, ""); $1 = $1; print }'
}

# --- agreement with ipcs, ipcmk and ipcrm ---------------------------------------------------------

@test "ipcs sees a queue made, filled, emptied, changed and removed here" {
	umask 027
	touch "$SQ"
	[[ $(ipcs_of q) == "root 640 0 0" ]]
	echo hello > "$SQ"
	echo you > "$SQ:7"
	[[ $(ipcs_of q) == "root 640 10 2" ]]
	truncate -s 0 "$SQ"
	[[ $(ipcs_of q) == "root 640 0 0" ]]
	chmod 604 "$SQ"
	chown nobody "$SQ"
	[[ $(ipcs_of q) == "nobody 604 0 0" ]]
	rm "$SQ"
	[[ $(ipcs_of q) == "" ]]
}

@test "ipcs sees a segment made by truncate, and what is left when it is removed in use" {
	truncate -s 5000 "$SM"
	[[ $(ipcs_of m) == "root 644 5000 0" ]]
	[[ $(stat -c '%s %a %F' "$SM") == "5000 644 regular file" ]]
	python3 -c 'import ctypes, os, time
libc = ctypes.CDLL(None); libc.shmat.restype = ctypes.c_void_p
libc.shmat(libc.shmget(int(os.environ["KEY"], 16), 0, 0), None, 0); print("ready", flush=True); time.sleep(60)' \
		> "$OUT" 3>&- &
	JOBS+=($!)
	wait_until grep -q ready "$OUT"
	[[ $(ipcs_of m) == "root 644 5000 1" ]]
	grep -qx "attached 1" "$IPC/info/sysv/shm/$FILE/status"
	grep -q "^$! 0 rwm python3" "$IPC/info/sysv/shm/$FILE/peers"
	id=$(awk '$1 == "id" { print $2 }' "$IPC/info/sysv/shm/$FILE/status")
	rm "$SM"
	[[ ! -e $SM ]]
	grep -qx "state dest" "$IPC/info/sysv/shm/id-$id/status"
	ipcs -m | grep -qE "^0x00000000 +$id .* dest"
	kill -KILL $!
	wait_until test ! -e "$IPC/sysv/shm/id-$id"
}

@test "ipcs sees a set made by ctl, and its removal" {
	echo "create sysv/sems/$KEY count=5 mode=0640 value=2" > "$IPC/ctl"
	[[ $(ipcs_of s) == "root 640 5" ]]
	[[ $(xargs < "$SS") == "2 2 2 2 2" ]]
	rm "$SS"
	[[ $(ipcs_of s) == "" ]]
}

@test "what ipcmk makes is here, and gone when ipcrm removes it" {
	local sort id key name
	for sort in "Q queues" "M 4096 shm" "S 3 sems"; do
		read -ra words <<<"$sort"
		read -r id < <(ipcmk -"${words[0]}" ${words[2]:+"${words[1]}"} | grep -oE '[0-9]+$')
		key=$(ipcs -"${words[0],,}" | sed 's/-M/-m/' | awk -v id="$id" '$2 == id { print $1 }')
		name="$IPC/sysv/${words[-1]}/$key"
		[[ -e $name && $(ls "$IPC/sysv/${words[-1]}") == *"$key"* ]]
		ipcrm -"${words[0],,}" "$id"
		[[ ! -e $name && $(ls "$IPC/sysv/${words[-1]}") != *"$key"* ]]
	done
}

@test "a private object is named id-N" {
	id=$(python3 -c 'import ctypes; print(ctypes.CDLL(None).msgget(0, 0o600))')
	[[ -e $IPC/sysv/queues/id-$id ]]
	grep -qx "id $id" "$IPC/info/sysv/queues/id-$id/status"
	rm "$IPC/sysv/queues/id-$id"
	[[ $(ipcs -q | grep -cE "^0x00000000 +$id ") == 0 ]]
}

@test "a key is found by any number of digits, and other names are refused" {
	touch "$SQ"
	echo short > "$IPC/sysv/queues/$KEY"
	run -0 first "$SQ"
	[[ $output == short ]]
	run ! --separate-stderr touch "$IPC/sysv/queues/jobs"
	[[ $stderr == *"Invalid argument"* ]]
	run ! --separate-stderr touch "$IPC/sysv/queues/0x0"
	[[ $stderr == *"Invalid argument"* ]]
}

# --- waiting --------------------------------------------------------------------------------------

@test "Ctrl-C ends a blocked receive, and the next message is there for another" {
	touch "$SQ"
	background head -n 1 "$SQ" > "$OUT"
	wait_until blocked "$JOB"
	kill -INT "$JOB"
	wait_until ended "$JOB"
	echo kept > "$SQ"
	[[ $(first "$SQ") == kept ]]
	[[ ! -s $OUT ]]
}

@test "a writer waits for a full queue, and Ctrl-C leaves its message unsent" {
	touch "$SQ"
	while dd if=/dev/zero of="$SQ" bs=4000 count=1 oflag=nonblock conv=notrunc 2>/dev/null; do :; done
	full=$(ipcs_of q)
	background dd if=/dev/zero of="$SQ" bs=4000 count=1 conv=notrunc
	wait_until blocked "$JOB"
	kill -INT "$JOB"
	wait_until ended "$JOB"
	[[ $(ipcs_of q) == "$full" ]]
	background dd if=/dev/zero of="$SQ" bs=4000 count=1 conv=notrunc
	wait_until blocked "$JOB"
	head -c 4000 "$SQ" > "$OUT"
	wait_until ended "$JOB"
	[[ $(ipcs_of q) == "$full" ]]
}

@test "Ctrl-C ends a list of operations that waits, and nothing of it is done" {
	echo "create sysv/sems/$KEY count=2" > "$IPC/ctl"
	background bash -c 'echo "1 +1 0 -1" > "$SS"'
	wait_until blocked "$JOB"
	grep -qx "sleeping 1" "$IPC/info/sysv/sems/$FILE/status"
	kill -INT "$JOB"
	wait_until ended "$JOB"
	[[ $(xargs < "$SS") == "0 0" ]]
	grep -qx "sleeping 0" "$IPC/info/sysv/sems/$FILE/status"
}

@test "a malformed list is refused, and nothing of it is done" {
	echo "create sysv/sems/$KEY count=2 value=1" > "$IPC/ctl"
	for list in "0" "0 -1 1" "0 x" "x 1" "-1 1" "0 1.5" "0 99999"; do
		run ! --separate-stderr shell 'echo "$1" > "$SS"' "$list"
		[[ $stderr == *"Invalid argument"* ]]
	done
	run ! --separate-stderr shell 'echo "0 -1 2 +1" > "$SS"'
	[[ $stderr == *"File too large"* ]] # what semop(2) says of a semaphore number that does not exist
	[[ $(xargs < "$SS") == "1 1" ]]
}

@test "the lines of one write are one list, and empty ones count for nothing" {
	echo "create sysv/sems/$KEY count=2 value=1" > "$IPC/ctl"
	shell 'python3 -uc "print(\"0 1\")" > $SS; printf "0 1\n\n1 1\n" > $SS; echo > $SS'
	[[ $(<"$SS") == $'3\n2' ]]
	run ! shell 'printf "0 1\n1 -9 \n" | dd of=$SS oflag=nonblock status=none'
	[[ $(<"$SS") == $'3\n2' ]]
}

@test "ctl ignores an empty line" {
	shell 'python3 -uc "print(\"create sysv/sems/$KEY count=2\")" > $IPC/ctl; printf "\n\n" > $IPC/ctl'
	[[ -e $SS ]]
}

@test "O_NONBLOCK gives EAGAIN for a list that can't be done yet" {
	touch "$SS"
	run ! --separate-stderr shell 'echo "0 -1" | dd of="$SS" oflag=nonblock conv=notrunc status=none'
	[[ $stderr == *"Resource temporarily unavailable"* ]]
}

# --- rights and limits ----------------------------------------------------------------------------

@test "another user is refused, as it is natively" {
	umask 077
	touch "$SQ" "$SS"
	truncate -s 4096 "$SM"
	for file in "$SQ" "$SM" "$SS"; do
		run ! --separate-stderr as_user "$OTHER" cat "$file"
		[[ $stderr == *"Permission denied"* ]]
		run ! --separate-stderr as_user "$OTHER" bash -c 'echo 0 1 > "$1"' bash "$file"
		[[ $stderr == *"Permission denied"* ]]
		run ! --separate-stderr as_user "$OTHER" rm -f "$file"
		[[ $stderr == *"Operation not permitted"* ]]
		run ! --separate-stderr as_user "$OTHER" chmod 666 "$file"
		[[ $stderr == *"Operation not permitted"* ]]
	done
	run ! as_user "$OTHER" ipcrm -Q "$KEY"
	[[ -e $SQ ]]
}

@test "what another user makes is that user's" {
	as_user "$OTHER" bash -c 'umask 026; touch "$SQ" "$SS"; truncate -s 4096 "$SM"'
	[[ $(stat -c '%u %g %a' "$SQ" "$SS" "$SM") == "$OTHER $OTHER 640"$'\n'"$OTHER $OTHER 640"$'\n'"$OTHER $OTHER 640" ]]
	as_user "$OTHER" rm "$SQ" "$SS" "$SM"
}

# Makes a namespace with small limits and a mount of it at $SMALL, for small().
setup_small() {
	mkfifo "$BATS_TEST_TMPDIR/ready"
	unshare --ipc bash -c 'cd /proc/sys/kernel
		echo 2000 > msgmnb; echo 1000 > msgmax; echo 2 > msgmni; echo 10000 > shmmax; echo 2 > shmmni
		echo 8 10 5 2 > sem; echo $$ > "$1/ready"; exec sleep 60' bash "$BATS_TEST_TMPDIR" 3>&- &
	read -r there < "$BATS_TEST_TMPDIR/ready"
	JOBS+=("$there")
	SMALL=$(new_directory)
	export SMALL
	mount_ipcfs "$SMALL" -o "ipcns=$there,config=/dev/null"
}

small() { # ERROR 'WHAT A USER TYPES'
	run ! --separate-stderr shell "cd \$SMALL/sysv; $2"
	[[ $stderr == *"$1"* ]] || { echo "$stderr"; return 1; }
}

@test "limits of the namespace give the errors of the native calls" {
	setup_small
	small "Message too long" 'touch queues/0x1; head -c 1001 /dev/zero > queues/0x1'                # MSGMAX
	head -c 1000 /dev/zero > "$SMALL/sysv/queues/0x1"
	head -c 1000 /dev/zero > "$SMALL/sysv/queues/0x1"
	small "temporarily unavailable" 'echo x | dd of=queues/0x1 oflag=nonblock conv=notrunc status=none' # MSGMNB
	small "No space left on device" 'touch queues/0x2; touch queues/0x3'                            # MSGMNI
	small "Invalid argument" 'truncate -s 10001 shm/0x1'                                            # SHMMAX
	small "No space left on device" 'truncate -s 1000 shm/0x1; truncate -s 1000 shm/0x2; truncate -s 1000 shm/0x3' # SHMMNI
	small "write error: Invalid argument" 'echo "create sysv/sems/0x1 count=9" > ../ctl'            # SEMMSL
	small "No space left on device" 'echo "create sysv/sems/0x1 count=6" > ../ctl; echo "create sysv/sems/0x2 count=5" > ../ctl' # SEMMNS
	small "Argument list too long" 'echo "0 1 1 1 2 1 3 1 4 1 5 1" > sems/0x1'                      # SEMOPM
	run -0 nsenter --ipc --target "$there" ipcs -q
	[[ $output == *2000* ]]
	[[ $(ipcs_of q) == "" ]]
}

@test "another process's System V objects are shown, and not our own" {
	setup_small
	touch "$SQ" "$SMALL/sysv/queues/0x77"
	[[ $(ls "$SMALL/sysv/queues") == 0x00000077 && ! -e $IPC/sysv/queues/0x77 ]]
}

# --- others' objects ------------------------------------------------------------------------------

@test "PostgreSQL's own segment is there, with its owner" {
	local bin data
	bin=$(find /usr/lib/postgresql -path '*/bin/initdb' -printf '%h\n' 2>/dev/null | sort -V | tail -n 1)
	[[ -n $bin ]] || skip "no PostgreSQL"
	data=$(new_directory)
	chown postgres "$data"
	setpriv --reuid=postgres --regid=postgres --init-groups "$bin/initdb" -D "$data/db" -A trust -N >/dev/null 3>&-
	setpriv --reuid=postgres --regid=postgres --init-groups "$bin/postgres" -D "$data/db" -k "$data" -h '' \
		>"$OUT" 2>&1 3>&- &
	server=$!
	JOBS+=("$server")
	wait_until test -s "$data/db/postmaster.pid"
	wait_until awk 'NR == 7 { found = 1 } END { exit !found }' "$data/db/postmaster.pid"
	read -r key id < <(sed -n 7p "$data/db/postmaster.pid") # its key in decimal, and the identifier
	file=$(printf '%s/sysv/shm/0x%08x' "$IPC" "$key")
	[[ $(stat -c '%U %a' "$file") == "postgres 600" ]]
	[[ $(stat -c %s "$file") == "$(ipcs -m | awk -v id="$id" '$2 == id { print $5 }')" ]]
	grep -q '^[0-9]* [0-9]* rwm postgres$' "$IPC/info/sysv/shm/$(basename "$file")/peers"
	kill -INT "$server"
	wait_until test ! -e "$file"
	wait_until ended "$server"
	rm -r "$data"
}

@test "the tables agree with ipcs and lsipc on each System V object" {
	touch "$SQ"
	echo hello > "$SQ"
	truncate -s 5000 "$SM"
	echo "create sysv/sems/$KEY count=5" > "$IPC/ctl"
	cp "$IPC/info/inventory.json" "$IPC/info/summary" "$BATS_TEST_TMPDIR"
	column() { # KIND KEY...: of all objects of a kind, with their names
		python3 -c 'import json, sys
for row in json.load(open(sys.argv[1])):
    if row["kind"] == sys.argv[2]:
        print(row["name"], *(row[key] for key in sys.argv[3:]))' "$BATS_TEST_TMPDIR/inventory.json" "$@" | sort
	}
	# Private objects have no key of their own to be named by.
	keyed() { grep -v '^0x00000000' | sort; }
	[[ $(column sysv/queues bytes messages | grep ^0x) == "$(ipcs -q | awk '/^0x/ { print $1, $5, $6 }' | keyed)" ]]
	[[ $(column sysv/shm bytes attached | grep ^0x) == "$(ipcs -m | awk '/^0x/ { print $1, $5, $6 }' | keyed)" ]]
	[[ $(column sysv/sems semaphores | grep ^0x) == "$(ipcs -s | awk '/^0x/ { print $1, $5 }' | keyed)" ]]
	[[ $(column sysv/queues | wc -l) == "$(ipcs -q | grep -c ^0x)" ]]
	[[ $(column sysv/shm | wc -l) == "$(ipcs -m | grep -c ^0x)" ]]
	for sort in "q queues" "m shm" "s sems"; do
		read -ra words <<<"$sort"
		[[ $(cells "sysv/${words[1]}" OWNER MODE <"$BATS_TEST_TMPDIR/summary" | sed 's/ 0\([0-7]*\)$/ \1/' | grep ^0x) == \
			"$(ipcs "-${words[0]}" | awk '/^0x/ { print $1, $3, $4 }' | keyed)" ]]
	done
	[[ $(column sysv/queues messages bytes | grep "^$FILE") == "$(lsipc -q -b -r -o KEY,MSGS,USEDBYTES | grep "^$FILE")" ]]
	[[ $(column sysv/shm attached bytes | grep "^$FILE") == "$(lsipc -m -b -r -o KEY,NATTCH,SIZE | grep "^$FILE")" ]]
	[[ $(column sysv/sems semaphores | grep "^$FILE") == "$(lsipc -s -r -o KEY,NSEMS | grep "^$FILE")" ]]
}

@test "summary lists the queues that ls of /dev/mqueue lists" {
	needs mqueue_mount
	echo message > "$Q"
	run -0 shell 'awk "\$1 == \"queues\" { print \$NF }" $IPC/info/summary | sort'
	[[ $output == "$(cd "$NATIVE_MQ" && printf '%s\n' * | sort)" ]]
}
