#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the tests of cluster/ share: nats-servers on free ports of the loopback, with JetStream in the
# test's directory, and two mounts, which stand for two machines. $a and $b are cluster/ in each.
# $NATS is a client that knows nothing of ipcfs: nats.py.
# shellcheck shell=bash disable=SC2016,SC2153,SC2154

declare -ga SERVERS=() PORTS=() ROUTES=()

# Skips where there is no server, or no client in the program.
cluster_needs() {
	[[ $(id -u) == 0 ]] || skip "only root can mount here"
	[[ $("$IPCFS" -V) == *libnats* ]] || skip "ipcfs was built without libnats"
	NATS_SERVER=$(PATH=$PATH:/usr/sbin:/sbin command -v nats-server) || skip "nats-server is not installed"
}

setup() {
	cluster_setup 1
}

teardown() {
	cluster_teardown
}

# cluster_setup N [MOUNT-OPTIONS]: N servers (one or three) and two mounts.
cluster_setup() {
	cluster_needs
	export NATS="$HERE/nats.py"
	start_servers "$1"
	SETUP_OPTIONS=$(cluster_option)${2:+,$2} ipcfs_setup
	OTHER_IPC=$(new_directory)
	export OTHER_IPC a="$IPC/cluster" b="$OTHER_IPC/cluster"
	mount_ipcfs "$OTHER_IPC" -o "$(cluster_option)${2:+,$2}"
	wait_until connected "$IPC"
	wait_until connected "$OTHER_IPC"
}

cluster_teardown() {
	local server bad=0

	if [[ -n ${OTHER_IPC:-} && -z ${DAEMON[$OTHER_IPC]:-} ]]; then
		rmdir "$OTHER_IPC" # it could not be mounted
	fi
	ipcfs_teardown || bad=1
	for server in "${!SERVERS[@]}"; do
		kill_server "$server"
	done
	return "$bad"
}

# --- servers --------------------------------------------------------------------------------------

# free_ports N: below those that the kernel gives to clients, or a client that tries to connect to
# a server that is down may be given the server's port, and talk to itself.
free_ports() {
	/usr/bin/python3 -c 'import random, socket, sys
taken = []
while len(taken) < int(sys.argv[1]):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        s.bind(("127.0.0.1", random.randrange(20000, 32000)))
        taken.append(s)
    except OSError: pass
print(*(s.getsockname()[1] for s in taken))' "$1"
}

# start_servers N: one, or three in a cluster. $NATS_URL is the first one, $NATS_URLS all of them.
start_servers() {
	local ports n urls=()

	read -ra ports < <(free_ports $((2 * $1)))
	PORTS=("${ports[@]:0:$1}")
	ROUTES=("${ports[@]:$1}")
	for ((n = 0; n < $1; n++)); do
		urls+=("nats://127.0.0.1:${PORTS[n]}")
		start_server "$n"
	done
	export NATS_URL=${urls[0]}
	NATS_URLS=$(IFS=,; echo "${urls[*]}")
	export NATS_URLS
	timeout 40 "$NATS" wait
}

# start_server [N]: the Nth, or starts it again, with what it had stored. $SERVER_CONFIG is a file of
# its configuration, if the test has one.
start_server() {
	local n=${1:-0} dir route cluster=()

	dir=$BATS_TEST_TMPDIR/server$n
	mkdir -p "$dir"
	if ((${#PORTS[@]} > 1)); then
		for route in "${ROUTES[@]}"; do
			cluster+=("nats://127.0.0.1:$route")
		done
		cluster=(--cluster_name test --cluster "nats://127.0.0.1:${ROUTES[n]}" --routes "$(IFS=,; echo "${cluster[*]}")")
	fi
	"$NATS_SERVER" -js -sd "$dir" -n "server$n" -a 127.0.0.1 -p "${PORTS[n]}" -l "$dir/log" "${cluster[@]}" \
		${SERVER_CONFIG:+-c "$SERVER_CONFIG"} 3>&- &
	SERVERS[n]=$!
	disown "${SERVERS[n]}"
}

# kill_server [N]: as a crash of its process does. What it wrote is in the files.
kill_server() {
	kill -KILL "${SERVERS[${1:-0}]}" 2>/dev/null || true
	wait_until ended "${SERVERS[${1:-0}]}"
}

# What the mounts are given.
cluster_option() {
	echo "cluster=${NATS_URLS//,/,cluster=}"
}

connected() { # MOUNT
	grep -q '^state connected$' "$1/info/cluster/status"
}

disconnected() { # MOUNT
	! connected "$1"
}

# --- objects --------------------------------------------------------------------------------------

# create KIND/NAME [KEY=VALUE...]: on $a, and waits until $b has it, too.
create() {
	echo "create cluster/$*" >"$IPC/ctl"
	wait_until test -e "$b/$1"
}

status_of() { # KIND/NAME KEY [MOUNT]
	awk -v key="$2" '$1 == key { print $2 }' "${3:-$IPC}/info/cluster/$1/status"
}

has_status() { # KIND/NAME KEY VALUE [MOUNT]
	[[ $(status_of "$1" "$2" "${4:-}") == "$3" ]]
}

has_lines() { # FILE N
	[[ $(wc -l <"$1") -ge $2 ]]
}

is_running() { # PID
	! ended "$1"
}

# The process waits in a call on a file of the mount, interruptibly.
waits_in() { # PID MOUNT
	[[ $(state_of "$1") == S ]] && has_open_below "$1" "$2"
}
