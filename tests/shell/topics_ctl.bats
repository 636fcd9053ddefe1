#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# How topics are set up and looked at: ctl, the configuration, info/, names, and what is refused.
# shellcheck shell=bats disable=SC2016,SC2030,SC2031,SC2153,SC2154

load helper
load refusals
load topics

# --- ctl, the configuration, info/ ----------------------------------------------------------------

@test "set changes a topic in use, and empty discards what is in it" {
	create
	exec 7< "$T"
	echo "set topics/$NAME keep=1M full=wait capacity=2M mode=0640" > "$IPC/ctl"
	[[ $(status_of keep) == 1024K && $(status_of full) == wait && $(status_of capacity) == 2097152 ]]
	[[ $(stat -c %a "$T") == 640 ]]
	shell 'echo one > $T; echo two > $T'
	echo "empty topics/$NAME" > "$IPC/ctl"
	[[ $(status_of messages) == 0 && $(status_of reader-missed) == 2 ]]
	shell 'echo three > $T'
	read -r line <&7
	[[ $line == three && $(status_of kept) == 1 ]]
	truncate -s 0 "$T"
	[[ $(status_of kept) == 0 ]]
	shell 'for n in {1..9}; do echo $n > $T; done'
	echo "set topics/$NAME keep=2" > "$IPC/ctl"
	[[ $(status_of kept) == 2 && $(status_of behind) == 9 ]]
	exec 7<&-
	[[ $(status_of messages) == 2 ]]
}

@test "the configuration makes topics, and adjusts them when it is read again" {
	M=$(new_directory)
	export M
	cat > "$BATS_TEST_TMPDIR/conf" <<-END
		create topics/log  keep=100 capacity=64K mode=0640 group=12345
		create topics/news keep=16K full=wait eof=auto
		create topics/bad  keep=16M
	END
	mount_ipcfs "$M" -o "config=$BATS_TEST_TMPDIR/conf" 2> "$BATS_TEST_TMPDIR/log"
	[[ $(stat -c '%a %g' "$M/topics/log") == "640 12345" && ! -e $M/topics/bad ]]
	[[ $(grep -E '^(capacity|keep|full|eof) ' "$M/info/topics/news/status" | xargs) == \
		"capacity 1048576 keep 16K full wait eof auto" ]]
	[[ $(grep -c conf: "$BATS_TEST_TMPDIR/log") == 1 ]]
	contains "$BATS_TEST_TMPDIR/log" "conf:3: create topics/bad: keep= is larger than the capacity"
	shell 'echo hello > $M/topics/log'
	echo 'create topics/log keep=7 capacity=128K mode=0640 group=12345' > "$BATS_TEST_TMPDIR/conf"
	kill -HUP "${DAEMON[$M]}"
	wait_until grep -qx 'keep 7' "$M/info/topics/log/status"
	grep -qx 'capacity 131072' "$M/info/topics/log/status"
	[[ $(first "$M/topics/log") == hello ]]
}

@test "info shows a topic, and looking there takes nothing" {
	create keep=10
	shell 'printf "one\ntwo\n" | cat > $T; echo three > $T'
	reader "$OUT" cat "$T"
	wait_until has_waiting 1
	for _ in 1 2; do
		[[ $(cat "$IPC/info/topics/$NAME/peek") == $'one\ntwo\nthree' ]]
	done
	[[ $(cat "$IPC/info/topics/$NAME/peers") == "$JOB 0 r cat" ]]
	run -0 grep -E '^(messages|bytes|kept|sent|keep|full|eof|readers|writers|waiting) ' "$IPC/info/topics/$NAME/status"
	[[ $(xargs <<< "$output") == \
		"messages 2 bytes 14 kept 2 sent 2 keep 10 full drop-oldest eof never readers 1 writers 0 waiting 1" ]]
	grep -Eq "^topics .* 14 +1[.]0M +2 .* $NAME\$" "$IPC/info/summary"
	grep -qxF "ipcfs_messages{kind=\"topics\",name=\"$NAME\",owner=\"root\"} 2" "$IPC/info/metrics"
	run -0 shell 'python3 -c "import json, os
topic, = [c for c in json.load(open(os.environ[\"IPC\"] + \"/info/inventory.json\")) if c[\"name\"] == os.environ[\"NAME\"]]
print(topic[\"kind\"], topic[\"messages\"], topic[\"keep\"], topic[\"full\"], \"reader-pids\" in topic)"'
	[[ $output == "topics 2 10 drop-oldest False" ]]
}

@test "root without CAP_SYS_PTRACE sees only its own readers, as in peers" {
	create mode=0644
	reader "$OUT" setpriv --reuid="$OTHER" --regid="$OTHER" --clear-groups cat "$T"
	[[ -n $(status_of reader-pids) ]]
	run -0 setpriv --bounding-set=-sys_ptrace --inh-caps=-sys_ptrace cat "$IPC/info/topics/$NAME/status"
	[[ $output == *"readers 1"* && $output != *reader-pids* ]]
}

@test "others see their own readers, and of a topic that they may not read, no figures" {
	create keep=10 mode=0644
	shell 'echo hello > $T'
	reader "$OUT" cat "$T"
	background setpriv --reuid="$OTHER" --regid="$OTHER" --clear-groups cat "$T" > /dev/null
	wait_until has_readers 2
	local theirs=$JOB file="$IPC/info/topics/$NAME/status"
	[[ $(as_user "$OTHER" awk '$1 == "reader-pids" { print $2 }' "$file") == "$theirs" ]]
	[[ $(status_of reader-pids | tr , '\n' | wc -l) == 2 ]]
	[[ $(as_user "$OTHER" cat "$IPC/info/topics/$NAME/peek") == hello ]]
	run -1 as_user "$OTHER" bash -c 'echo x > $T'
	run -1 as_user "$OTHER" truncate -s 0 "$T"
	chmod 622 "$T"
	run -1 as_user "$OTHER" grep -E '^(messages|bytes|kept|sent|dropped|behind|reader-.*) ' "$file"
	run -1 as_user "$OTHER" cat "$T"
	run -1 as_user "$OTHER" cat "$IPC/info/topics/$NAME/peek"
	run -0 as_user "$OTHER" bash -c 'echo mine > $T'
	run -1 as_user "$OTHER" truncate -s 0 "$T"
	[[ $(cat "$IPC/info/topics/$NAME/peek") == $'hello\nmine' ]]
}

has_waiting() { # N
	[[ $(status_of waiting) == "$1" ]]
}

# --- names and refusals ---------------------------------------------------------------------------

@test "rm, mv, the umask and O_APPEND work as on any file" {
	run -0 shell 'umask 027; echo one >> $T; stat -c %a $T; mv $T $T.2; ls $IPC/topics
		exec 7<> $T.2; rm $T.2; echo hello >&7; read -r line <&7; echo "$line"; ls $IPC/topics'
	[[ $output == "640
$NAME.2
hello" ]]
	run -1 shell 'mkfifo $T'
	[[ $output == *"Operation not permitted"* ]]
}

@test "a selector that is too large, or on what is only written, is refused" {
	create keep=10
	for selector in :1 :0; do
		run -1 --separate-stderr shell 'echo x > "$T$1"' "$selector"
		[[ $stderr == *"Invalid argument"* ]]
	done
	run -1 --separate-stderr shell 'cat "$T:2147483648"'
	[[ $stderr == *"Invalid argument"* ]]
	run -1 --separate-stderr shell 'cat "$T:x"'
	[[ $stderr == *"No such file"* ]]
	run -0 shell 'echo hello > $T; exec 7<> $T:2147483647; read -r line <&7; echo "$line"; touch "$T:z"; ls $IPC/topics'
	[[ $output == "hello
$NAME
$NAME:z" ]]
}

@test "a message that can never fit is refused whole" {
	create capacity=4K keep=10
	run -1 --separate-stderr shell 'head -c 4089 /dev/zero | dd of=$T bs=4089 conv=notrunc'
	[[ $stderr == *"Message too long"* && $(status_of sent) == 0 ]]
	run -0 shell 'head -c 4088 /dev/zero | dd of=$T bs=4088 conv=notrunc status=none'
	[[ $(status_of bytes) == 4088 ]]
}

@test "what ctl refuses of a topic, it explains" {
	local text="not a number, nor a size (a number followed by K, M or G)"
	for keep in x -1 1.5 1X; do
		refused "create topics/$NAME keep=$keep" "keep=$keep: $text"
	done
	refused "create topics/$NAME keep=65M" "keep=65M: out of range (0 to 67108864)"
	refused "create topics/$NAME capacity=1K" "capacity=1K: out of range (4096 to 67108864)"
	refused "create topics/$NAME full=now" "full=now: not one of drop-oldest, wait, drop-newest"
	refused "create topics/$NAME eof=yes" "eof=yes: not one of never, auto"
	refused "create topics/$NAME maxmsg=3" \
		"maxmsg: no such key for topics (mode, owner, group, capacity, keep, full, eof)"
	refused "create topics/$NAME keep=2M" "create topics/$NAME: keep= is larger than the capacity"
	[[ ! -e $T ]]
	create capacity=8K keep=100
	shell 'printf "%06000d" 0 > $T'
	refused "set topics/$NAME keep=9K" "set topics/$NAME: keep= is larger than the capacity"
	refused "set topics/$NAME capacity=4K" "set topics/$NAME: what is in the topic does not fit into capacity=; read it, keep less, or empty it"
	refused "create topics/$NAME keep=7" "create topics/$NAME: already exists with keep=100, not keep=7"
	refused "create topics/$NAME:2147483648" "create topics/$NAME:2147483648: the number after ':' is out of range"
	run -1 as_user "$OTHER" bash -c 'echo "set topics/$NAME keep=0" > $IPC/ctl'
	run -0 as_user "$OTHER" tail -n1 "$IPC/ctl"
	[[ $output == "line 1: set topics/$NAME: Operation not permitted" ]]
	[[ $(status_of keep) == 100 && $(status_of capacity) == 8192 ]]
}
