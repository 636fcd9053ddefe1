#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# info/ as a whole: walking through it ends and takes nothing, other programs can read its tables
# whatever the names, and it shows programs that know nothing of ipcfs.
# shellcheck shell=bats disable=SC2016,SC2030,SC2031

load helper

# Makes something of each kind, with something in it.
fill() {
	shell 'echo "create pipes/$NAME capacity=64K" > $IPC/ctl; echo "create queues/$NAME maxmsg=4 msgsize=64" > $IPC/ctl
		seq 1000 > $P; echo one > $Q; echo two > $Q; seq 1000 > $S; mkfifo $P.fifo'
}

# Everything that looking could lose.
contents() {
	shell 'grep -HE "^(bytes|messages|last)" $IPC/info/{pipes,queues}/$NAME/status; sha256sum < /dev/shm/$NAME
		cat $IPC/info/pipes/$NAME/peek'
}

# Makes a file of each name in pipes, queues and shm. teardown removes what is left in queues.
ODD='quote" back\ dollar$ semicolon; percent%s apostrophe'"'"' brace{}'
odd_names() {
	ODD=$ODD python3 -c 'import os
name = os.fsencode(os.environ["NAME"])
odd = [os.fsencode(word) for word in os.environ["ODD"].split(" ")]
odd += [b"blank ", b"new\nline", b"new\nbytes 99", b"tab\t", b"\x01\x7f", b"\xff\xfe", b"\xc3", b"\xe2\x82\xac",
        b"-->", b"<b>&amp;", b"\xed\xa0\x80"]
for kind, every in ("pipes", 1), ("shm", 1), ("queues", 4):
    for tail in odd[::every]:
        path = os.fsencode(os.environ["IPC"]) + b"/" + kind.encode() + b"/" + name + b"." + tail
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))'
}

# --- walking through ------------------------------------------------------------------------------

@test "grep -r ends and takes nothing" {
	needs mqueue_mount
	fill
	before=$(contents)
	WITHIN=20 run shell 'grep -r . $IPC/info > $OUT; [[ $? != 2 ]] || echo some could not be read'
	[[ $status == 0 ]]
	[[ $(contents) == "$before" ]]
	run -0 grep -F "$IPC/info/pipes/$NAME/peek:1000" "$OUT"
	run -0 grep -F "$IPC/info/queues/$NAME/status:messages 2" "$OUT"
}

# Makes one of each kind for everybody and one for root alone, and a file that is not a semaphore.
# The jobs keep sockets open.
make_one_of_each() { # KEY
	shell 'cd $IPC; for private in "" .private; do
		mode=${private:+600} && mode=${mode:-644} dir=${private:+700} && dir=${dir:-755}
		for line in pipes/$NAME$private "pipes/$NAME.served$private served=daemon" "topics/$NAME$private keep=3" \
			queues/$NAME$private \
			"shm/$NAME$private size=5000" "sems/$NAME$private value=1" "events/$NAME$private value=2" \
			sysv/queues/$1${private:+2} "sysv/shm/$1${private:+2} size=5000" "sysv/sems/$1${private:+2} count=2"; do
			echo "create $line mode=$mode" > ctl || exit
		done
		echo "create sockets/servers/$NAME$private mode=$dir" > ctl; mkfifo -m $mode pipes/$NAME.plain$private
		for queue in queues/$NAME$private topics/$NAME$private sysv/queues/$1${private:+2} pipes/$NAME$private pipes/$NAME.served$private; do
			echo hello > $queue
		done
	done; echo "create sockets/servers/$NAME.abstract listen=abstract:$NAME" > ctl
	echo "create sockets/servers/$NAME.tcp listen=tcp:localhost:0" > ctl; head -c 100 /dev/zero > /dev/shm/sem.$NAME.bad' "$@"
	port=$(sed 's/.*://' "$IPC/sockets/servers/$NAME.tcp/address")
	for path in unix/run/ipcfs/$NAME abstract/$NAME tcp/localhost/$port udp/127.0.0.1/9 servers/$NAME/connect; do
		background bash -c 'exec 5<> "$IPC/sockets/$1"; exec sleep infinity' bash "$path"
		wait_until has_open_below "$JOB" "$IPC/sockets"
	done
}

# Every KIND that ctl names has something in info/.
has_every_kind() {
	local kind

	while read -r kind; do
		[[ $kind == queues ]] && is_off mqueue_mount && continue # queues can't be listed
		[[ ! -d $IPC/$kind || -n $(ls "$IPC/info/$kind") ]] || {
			echo "nothing in info/$kind"
			return 1
		}
	done < <(grep -oP '^#   \K[a-z]+(/[a-z]+)?' "$IPC/ctl" | grep -vE '^(create|set|remove|empty)')
}

@test "info/ has no file that can only fail, for root or for a user" {
	key=$(printf '0x%07x' $((0x4b00000 + $$ % 0x100000)))
	make_one_of_each "$key"
	has_every_kind
	for uid in 0 "$OTHER"; do
		WITHIN=60 run -0 as_user "$uid" bash -c 'grep -r . "$IPC/info" 2>&1 > /dev/null'
		[[ -z $output ]]
		run -0 as_user "$uid" bash -c 'find "$IPC/info" -type f ! -readable 2>&1; cd "$IPC/info"; tar cf /dev/null pipes/$NAME* 2>&1'
		[[ $output != *"$IPC"* && $output != *denied* ]]
	done
	rm -f "$IPC"/sysv/*/"$(printf '0x%08x' "$key")" "$IPC"/sysv/*/"$(printf '0x%08x' "${key}2")"
	rm -f /run/ipcfs/"$NAME"*
}

@test "tar ends and takes nothing" {
	needs mqueue_mount
	fill
	before=$(contents)
	WITHIN=20 run shell 'tar -C $IPC -cf $OUT info; tar -tf $OUT | grep -F $NAME/status'
	[[ $output == *"info/pipes/$NAME/status"*"info/queues/$NAME/status"* ]]
	[[ $(contents) == "$before" ]]
}

@test "cp -r, find and a backup by another user take nothing" {
	fill
	before=$(contents)
	WITHIN=20 run shell 'cp -r $IPC/info $BATS_TEST_TMPDIR/copy; find $IPC/info -type f -exec wc -c {} + > /dev/null; ls -lR $IPC/info > /dev/null'
	run timeout -k 1 20 setpriv --reuid="$OTHER" --regid="$OTHER" --clear-groups grep -rc . "$IPC/info"
	[[ $status != 124 && $(contents) == "$before" ]]
	[[ -s $BATS_TEST_TMPDIR/copy/pipes/$NAME/peek ]]
}

# --- tables ---------------------------------------------------------------------------------------

@test "inventory.json is valid and agrees with ls and with status" {
	needs mqueue_mount
	fill
	run -0 python3 -c 'import json, os, sys
ipc, name = os.environ["IPC"], os.environ["NAME"]
inventory = json.load(open(ipc + "/info/inventory.json"))
for kind in {entry["kind"] for entry in inventory} | {"pipes", "queues", "shm"}:
    listed = sorted(entry["name"] for entry in inventory if entry["kind"] == kind and name in entry["name"])
    assert listed == sorted(n for n in os.listdir(ipc + "/" + kind) if name in n), (kind, listed)
    for entry in inventory:
        if entry["kind"] != kind or entry["name"] != name:
            continue
        status = dict(line.split(" ", 1) for line in open(f"{ipc}/info/{kind}/{name}/status").read().splitlines())
        assert status.keys() == entry.keys(), (status, entry)
        for key, value in entry.items():
            assert str(value) == status[key] or float(value) == float(status[key]), (key, value, status[key])
            assert isinstance(value, str) == (key in ("kind", "name", "mode", "eof", "keep", "served", "held", "type", "state", "values")), (key, value)
print(len(inventory))'
	((output >= 4))
}

@test "summary has a line for each channel, with the same columns" {
	needs mqueue_mount
	fill
	run -0 shell 'cat $IPC/info/summary'
	[[ ${lines[0]} == KIND*OWNER*GROUP*MODE*BYTES*NAME ]]
	[[ $(awk -v n="$NAME" '$NF == n { print $1, $2, $3, $4, $5, $6, $7 }' <<<"$output") == \
		"pipes root root 0644 3.9K 64K -"$'\n'"queues root root 0644 - - 2"$'\n'"shm root root 0644 4.0K - -" ]]
	[[ $(awk 'NR == 1 { n = NF } NF != n' <<<"$output") == "" ]]
}

@test "summary has no column in which all would be 0 or nothing" {
	shell 'echo "create events/$NAME" > $IPC/ctl'
	run -0 shell 'cat $IPC/info/summary'
	[[ ${lines[0]} != *VALUE* && ${lines[0]} != *WAIT* ]]
	shell 'echo 3 > $IPC/events/$NAME'
	run -0 shell 'cat $IPC/info/summary'
	[[ $(cells events VALUE WAIT <<<"$output") == "$NAME 3 -" ]]
}

@test "summary keeps its columns apart, however wide a value is" {
	needs mqueue_mount
	echo "create events/$NAME value=18446744073709551614 owner=4294967294" >"$IPC/ctl"
	run -0 shell 'cat $IPC/info/summary'
	[[ $(cells events OWNER GROUP VALUE <<<"$output") == "$NAME 4294967294 root 18446744073709551614" ]]
	[[ $(awk '{ print index($0, " VALUE") + 6 }' <<<"${lines[0]}") == \
		"$(awk -v n="$NAME" '$NF == n { print index($0, "614 ") + 3 }' <<<"$output")" ]]
}

@test "summary fits a line of 100 characters with one of each kind" {
	key=$(printf '0x%07x' $((0x4b00000 + $$ % 0x100000)))
	NAME=jobs-$$ make_one_of_each "$key"
	run -0 shell 'cat $IPC/info/summary'
	rm -f "$IPC"/sysv/*/"$(printf '0x%08x' "$key")" "$IPC"/sysv/*/"$(printf '0x%08x' "${key}2")" \
		/dev/shm/*jobs-$$* "$IPC"/queues/jobs-$$ "$IPC/queues/jobs-$$.private" /run/ipcfs/jobs-$$*
	[[ $(xargs <<<"${lines[0]}") == "KIND OWNER GROUP MODE BYTES CAP MSGS VALUE SEMS RD WR NAME" ]]
	[[ $(grep -vE '^sockets/(unix|tcp|udp)' <<<"$output" | awk 'length > 100') == "" ]]
}

@test "summary shows sizes as ls -h does, and inventory.json the bytes" {
	for size in 1023 1024 1025 10239 10240 10241 1047552 1047553; do
		shell 'echo "create topics/$NAME.$1 keep=2M capacity=4M" > $IPC/ctl; head -c $1 /dev/zero > $IPC/topics/$NAME.$1' $size
		truncate -s $size "$BATS_TEST_TMPDIR/file"
		run -0 shell 'cat $IPC/info/summary'
		# shellcheck disable=SC2012 # how ls prints a size is what is asked
		grep -qx "$NAME.$size $(ls -lh "$BATS_TEST_TMPDIR/file" | cut -d" " -f5)" <(cells topics BYTES <<<"$output")
		grep -qF "\"bytes\":$size," "$IPC/info/inventory.json"
	done
}

@test "the tables are sorted by kind, then by name, numbers by their value" {
	shell 'for name in job10 job9 Job job job1 b a; do echo "create events/$name" > $IPC/ctl; done; touch $P'
	run -0 shell 'cat $IPC/info/summary'
	[[ $(awk '$1 == "events" { print $NF }' <<<"$output" | xargs) == "Job a b job job1 job9 job10" ]]
	[[ $(grep -n "^pipes" <<<"$output" | head -n1 | cut -d: -f1) -lt $(grep -n "^events" <<<"$output" | head -n1 | cut -d: -f1) ]]
	run -0 shell 'python3 -c "import json, sys; print(*(c[\"name\"] for c in json.load(sys.stdin) if c[\"kind\"] == \"events\"))" < $IPC/info/inventory.json'
	[[ $output == "Job a b job job1 job9 job10" ]]
}

metrics() { # prints the samples of $NAME, as an OpenMetrics parser reads them
	python3 -c 'import os, sys
from prometheus_client.openmetrics import parser
text = open(os.environ["IPC"] + "/info/metrics", encoding="utf-8").read()
seen = set()
for family in parser.text_string_to_metric_families(text):
    assert family.type in ("gauge", "counter") and family.documentation.endswith("."), family
    for sample in family.samples:
        if "name" not in sample.labels:  # of the whole mount
            print(sample.name, *sample.labels, int(sample.value))
            continue
        key = (sample.name, sample.labels["kind"], sample.labels["name"])
        assert key not in seen, f"twice: {key}"
        assert sample.name == family.name + ("_total" if family.type == "counter" else ""), sample
        assert sample.labels["owner"] == "root", sample
        seen.add(key)
        if sample.labels["name"].startswith(os.environ["NAME"]):
            print(*key[:2], sample.labels["name"][len(os.environ["NAME"]):], int(sample.value))'
}

have_parser() {
	python3 -c 'import prometheus_client.openmetrics.parser' 2>/dev/null ||
		skip "no parser of OpenMetrics (python3-prometheus-client)"
}

@test "metrics are valid to an OpenMetrics parser" {
	needs mqueue_mount
	have_parser
	fill
	shell 'echo "create events/$NAME" > $IPC/ctl; for n in 3 4; do echo $n > $IPC/events/$NAME; done; first $IPC/events/$NAME > $OUT'
	run -0 metrics
	for line in "ipcfs_bytes pipes  3893" "ipcfs_messages queues  2" "ipcfs_bytes shm  4096" "ipcfs_readers pipes  0" \
		"ipcfs_build_info version 1" "ipcfs_channels $(grep -c "\"kind\":" "$IPC/info/inventory.json")" \
		"ipcfs_written_messages_total events  2" "ipcfs_read_messages_total events  1" \
		"ipcfs_written_bytes_total events  4" "ipcfs_read_bytes_total events  2" "ipcfs_waits_total events  0"; do
		grep -qxF "$line" <<<"$output"
	done
	grep -q "^ipcfs_since_seconds events  [0-9]" <<<"$output"
	run -0 shell 'tail -n1 $IPC/info/metrics'
	[[ $output == "# EOF" ]]
}

@test "metrics are valid to a parser of the text format, as node_exporter is" {
	have_parser
	fill
	shell 'echo "create events/$NAME value=3" > $IPC/ctl; echo 4 > $IPC/events/$NAME'
	ln -s "$IPC/info/metrics" "$BATS_TEST_TMPDIR/ipcfs.prom"
	run -0 python3 -c 'import os, sys
from prometheus_client import parser
for family in parser.text_string_to_metric_families(open(sys.argv[1], encoding="utf-8").read()):
    for sample in family.samples:
        assert sample.timestamp is None, sample
        if sample.labels.get("name") == os.environ["NAME"]:
            print(family.type, sample.name, sample.labels["kind"], int(sample.value))' "$BATS_TEST_TMPDIR/ipcfs.prom"
	for line in "gauge ipcfs_value events 7" "unknown ipcfs_written_bytes_total events 2" "gauge ipcfs_bytes pipes 3893"; do
		grep -qxF "$line" <<<"$output"
	done
}

@test "metrics of no channel at all are valid" {
	have_parser
	run -0 metrics
	[[ ${#lines[@]} == 3 && $output == "ipcfs_build_info version 1"*"ipcfs_start_time_seconds "*"ipcfs_channels "* ]]
}

@test "graph.dot renders, with channels and their users" {
	command -v dot >/dev/null || skip "no Graphviz"
	fill
	background sleep 1000 <"$P"
	wait_until has_open_below "$JOB" "$IPC"
	run -0 shell 'cat $IPC/info/graph.dot'
	[[ $output == *"\"pipes/$NAME\" [label=\"$NAME\\npipes, 3.9K\"]"*"\"pipes/$NAME\" -> \"$JOB\";"* ]]
	[[ $output != *"\"$JOB\" -> \"pipes/$NAME\""* ]]
	run -0 shell 'dot -Tsvg $IPC/info/graph.dot | sed "s/&#45;/-/g"'
	[[ $output == *"<title>pipes/$NAME-&gt;$JOB</title>"* ]]
}

# --- names ----------------------------------------------------------------------------------------

@test "odd names leave inventory.json valid, with one entry each" {
	needs mqueue_mount
	odd_names
	run -0 python3 -c 'import json, os
ipc, name = os.environ["IPC"], os.environ["NAME"]
inventory = json.load(open(ipc + "/info/inventory.json", encoding="utf-8"))
for kind in "pipes", "queues", "shm":
    listed = [entry["name"] for entry in inventory if entry["kind"] == kind and name in entry["name"]]
    there = [n for n in os.listdir(ipc + "/" + kind) if name in n]
    assert len(set(listed)) == len(there) >= 4, (kind, listed, there)
    assert name + ".quote\"" in listed
    assert all(c.isprintable() for n in listed for c in n), listed'
}

@test "odd names leave metrics valid" {
	have_parser
	odd_names
	run -0 metrics
	[[ $output == *'.quote" '* && $output == *'.back\ '* && $output == *'.new\x0aline '* && $output == *'.\xff\xfe '* ]]
}

@test "odd names leave graph.dot fit to render, and it shows them as they are" {
	command -v dot >/dev/null || skip "no Graphviz"
	odd_names
	run -0 shell 'dot -Tplain $IPC/info/graph.dot'
	[[ $output == *'.semicolon;'* && $output == *'.quote\"'* ]]
	# What is not text is \xNN there too, with the backslash.
	run -0 shell 'dot -Tsvg $IPC/info/graph.dot'
	[[ $output == *'.new\x0aline<'* ]]
}

@test "odd names leave status with one line for each key" {
	odd_names
	run -0 shell 'for status in $IPC/info/pipes/$NAME.*/status; do
			[[ $(grep -c ^name "$status") == 1 && $(cut -d" " -f1 "$status" | sort | uniq -d) == "" ]] || echo "bad: $status"
			grep -qxF "bytes 0" "$status" || echo "feigned: $status"
		done; cat $IPC/info/pipes/$NAME.*/status | iconv -f utf-8 -t utf-8 > /dev/null
		set -- $IPC/info/pipes/$NAME.*; echo $#'
	[[ $output == 18 ]]
}

@test "two names are told apart, whatever they are" {
	shell 'touch $P.$'"'"'\n'"'"' $P."\\x0a"'
	run -0 python3 -c 'import json, os
names = [e["name"] for e in json.load(open(os.environ["IPC"] + "/info/inventory.json")) if os.environ["NAME"] in e["name"]]
print(len(names), len(set(names)))'
	[[ $output == "2 2" ]]
}

@test "a process with an odd name leaves peers and graph.dot whole" {
	shell 'touch $P'
	start_odd() {
		background python3 -c 'import ctypes, os, signal
ctypes.CDLL(None).prctl(15, b"a\"b\\c\nUid: 0", 0, 0, 0)
fd = os.open(os.environ["P"], os.O_RDONLY | os.O_NONBLOCK)
signal.pause()'
	}
	start_odd
	wait_until has_open_below "$JOB" "$IPC"
	run -0 shell 'cat $IPC/info/pipes/$NAME/peers'
	[[ ${#lines[@]} == 1 && $output == "$JOB 0 r a"* ]]
	! command -v dot >/dev/null || run -0 shell 'dot -Tsvg $IPC/info/graph.dot'
}

# --- a program that knows nothing of ipcfs --------------------------------------------------------

# PostgreSQL leaves its regions behind if it is killed.
teardown() {
	[[ -z ${POSTGRES:-} ]] || stop_postgres
	ipcfs_teardown
}

stop_postgres() {
	kill -INT "$POSTGRES" 2>/dev/null || true
	WITHIN=30 wait_until ended "$POSTGRES"
	POSTGRES=
}

start_postgres() { # DIRECTORY OF ITS PROGRAMS
	local data="$BATS_TEST_TMPDIR/data"

	install -d -o postgres -g postgres -m 700 "$data"
	chmod 755 "$BATS_TEST_TMPDIR" "$BATS_RUN_TMPDIR" "$(dirname "$BATS_TEST_TMPDIR")"
	cd "$data" || return
	timeout 60 setpriv --reuid=postgres --regid=postgres --clear-groups "$1/initdb" -D "$data" -N >/dev/null 2>&1 3>&-
	background setpriv --reuid=postgres --regid=postgres --clear-groups "$1/postgres" -D "$data" \
		-c dynamic_shared_memory_type=posix -c listen_addresses= -c unix_socket_directories="$data" 2>"$OUT"
	POSTGRES=$JOB
	WITHIN=60 wait_until contains "$OUT" "ready to accept connections"
}

# mapping SEGMENT: the PostgreSQL processes that have it mapped, as the kernel reports it.
mapping() {
	local pid
	for pid in "$POSTGRES" $(pgrep -P "$POSTGRES"); do
		! grep -qF "/dev/shm/$1" "/proc/$pid/maps" || echo "$pid"
	done
}

@test "PostgreSQL shows with its shared memory and its processes, without configuration" {
	local bin before segment shown pid n=0

	bin=$(find /usr/lib/postgresql -maxdepth 2 -name bin 2>/dev/null | tail -n1)
	[[ -n $bin ]] || skip "no PostgreSQL"
	before=$(ls /dev/shm)
	start_postgres "$bin"
	for segment in $(comm -13 <(echo "$before") <(ls /dev/shm) | grep PostgreSQL); do
		run -0 cat "$IPC/info/shm/$segment/status"
		[[ $output == *"name $segment"*"owner $(id -u postgres)"*"mode 0600"* ]]
		mapping "$segment" >"$OUT.before"
		shown=$(cat "$IPC/info/shm/$segment/peers")
		mapping "$segment" >"$OUT.after"
		for pid in $(comm -12 <(sort "$OUT.before") <(sort "$OUT.after")); do
			grep -qx "$pid $(id -u postgres) rwm postgres" <<<"$shown"
			n=$((n + 1))
		done
		grep -qF "\"name\":\"$segment\"" "$IPC/info/inventory.json"
	done
	echo "$n mappings were shown"
	((n > 1))
	grep -qE "\"$POSTGRES\" -> \"shm/PostgreSQL" "$IPC/info/graph.dot"
	stop_postgres
	[[ ! -e $IPC/info/shm/$segment ]]
}
