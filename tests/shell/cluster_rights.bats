#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Who may do what: owner, group and mode of an object count on every machine, and the credentials of
# the cluster are the daemon's alone.
# shellcheck shell=bats disable=SC2016,SC2030,SC2031,SC2154

load helper
load cluster

teardown() {
	[[ -z ${EXTRA:-} || -n ${DAEMON[$EXTRA]:-} ]] || rmdir "$EXTRA"
	cluster_teardown
}

has_stat() { # FILE FORMAT TEXT
	[[ $(stat -c "$2" "$1") == "$3" ]]
}

@test "the mode decides on every machine" {
	create queues/secret mode=0600
	create queues/public mode=0622
	run -1 as_user "$OTHER" bash -c 'cat $b/queues/secret'
	[[ $output == *"Permission denied"* ]]
	run -1 as_user "$OTHER" bash -c 'echo hello > $b/queues/secret'
	[[ $output == *"Permission denied"* ]]
	run -1 as_user "$OTHER" bash -c 'cat $a/queues/public'
	[[ $output == *"Permission denied"* ]]
	run -0 as_user "$OTHER" bash -c 'echo hello > $b/queues/public'
	run -0 shell 'first $a/queues/public'
	[[ $output == hello ]]
}

@test "owner and group are kept by name, and shown everywhere" {
	as_user "$OTHER" bash -c 'umask 027; touch $a/queues/theirs $a/topics/theirs $a/values/theirs'
	for kind in queues topics values; do
		wait_until test -e "$b/$kind/theirs"
		[[ $(stat -c '%U %a' "$b/$kind/theirs") == "nobody 640" ]]
	done
	shell 'chown root:adm $b/queues/theirs'
	wait_until has_stat "$a/queues/theirs" '%U:%G' root:adm
}

@test "the owner changes the mode on any machine, others do not" {
	as_user "$OTHER" touch "$a/queues/theirs"
	wait_until test -e "$b/queues/theirs"
	run -1 as_user 1234 chmod 666 "$b/queues/theirs"
	[[ $output == *"Operation not permitted"* ]]
	run -0 as_user "$OTHER" chmod 600 "$b/queues/theirs"
	wait_until has_stat "$a/queues/theirs" %a 600
	run -1 as_user "$OTHER" chown 1234 "$b/queues/theirs"
	[[ $output == *"Operation not permitted"* ]]
}

@test "others remove, empty and set nothing" {
	create queues/jobs mode=0644
	create topics/news mode=0644 keep=5
	create values/v mode=0644
	shell 'echo 1 > $a/queues/jobs; echo 1 > $a/topics/news; echo 1 > $a/values/v'
	for kind in queues/jobs topics/news values/v; do
		KIND=$kind run -1 as_user "$OTHER" bash -c 'rm -f $b/$KIND'
		[[ $output == *"not permitted"* || $output == *denied* ]]
		KIND=$kind run -1 as_user "$OTHER" bash -c 'truncate -s 0 $b/$KIND'
		KIND=$kind run -1 as_user "$OTHER" bash -c 'echo set cluster/$KIND replicas=1 > $IPC/ctl'
		KIND=$kind run -1 as_user "$OTHER" bash -c 'echo remove cluster/$KIND > $IPC/ctl'
		KIND=$kind run -1 as_user "$OTHER" bash -c 'echo empty cluster/$KIND > $IPC/ctl'
		wait_until has_status "$kind" messages 1
	done
}

@test "peek takes the right to read" {
	create queues/secret mode=0600
	echo hidden >"$a/queues/secret"
	run as_user "$OTHER" cat "$OTHER_IPC/info/cluster/queues/secret/peek"
	[[ $status != 0 && $output != *hidden* ]]
	run as_user "$OTHER" cat "$OTHER_IPC/info/cluster/queues/secret/status"
	[[ $output != *hidden* ]]
}

@test "a chmod does not take an open file away, as natively" {
	create queues/jobs mode=0666
	exec 7<"$b/queues/jobs"
	chmod 0 "$a/queues/jobs"
	wait_until has_stat "$b/queues/jobs" %a 0
	echo hello >"$a/queues/jobs" # root
	run -0 --separate-stderr as_user "$OTHER" head -n 1 <&7
	[[ $output == hello ]]
	exec 7<&-
}

# --- the credentials of the cluster ---------------------------------------------------------------

# refused OPTIONS: what ipcfs says when it does not mount with them.
refused() {
	EXTRA=${EXTRA:-$(new_directory)}
	run shell '"$IPCFS" "$1" -o "$2"' "$EXTRA" "$1"
	[[ $status != 0 ]] && ! is_mounted "$EXTRA"
}

@test "a password in the URL is refused, and is not printed again" {
	refused "cluster=nats://user:hunter2@127.0.0.1:${PORTS[0]}"
	[[ $output != *hunter2* && $output == *cluster_creds* ]]
}

@test "credentials that others can read are refused" {
	"$HERE/nats_creds.py" "$BATS_TEST_TMPDIR"
	chmod 644 "$BATS_TEST_TMPDIR/user.creds"
	refused "$(cluster_option),cluster_creds=$BATS_TEST_TMPDIR/user.creds"
	[[ $output == *"other users have access"* ]]
	chmod 600 "$BATS_TEST_TMPDIR/user.creds"
	chown "$OTHER" "$BATS_TEST_TMPDIR/user.creds"
	refused "$(cluster_option),cluster_creds=$BATS_TEST_TMPDIR/user.creds"
	refused "$(cluster_option),cluster_creds=$BATS_TEST_TMPDIR/missing"
	refused "cluster_creds=$BATS_TEST_TMPDIR/user.creds"
}

# A third mount at $EXTRA, of a server with $SERVER_CONFIG. OPTIONS are the mount's beside cluster=.
mount_extra() { # OPTIONS
	EXTRA=${EXTRA:-$(new_directory)}
	kill_server
	SERVER_CONFIG=$BATS_TEST_TMPDIR/server.conf start_server
	mount_ipcfs "$EXTRA" -o "$1"
}

end_extra() {
	umount "$EXTRA"
	wait_until ended "${DAEMON[$EXTRA]}"
}

@test "credentials let the daemon in, and without them cluster/ is down, and nothing else" {
	"$HERE/nats_creds.py" "$BATS_TEST_TMPDIR"
	mount_extra "$(cluster_option),cluster_creds=$BATS_TEST_TMPDIR/user.creds"
	wait_until connected "$EXTRA"
	echo hello >"$EXTRA/cluster/queues/jobs"
	run -0 shell 'first $1/cluster/queues/jobs' "$EXTRA"
	[[ $output == hello ]]
	wait_until disconnected "$IPC"
	wait_until grep -i '^error auth' "$IPC/info/cluster/status"
	run -0 shell 'echo local > $Q; first $Q'
	[[ $output == local ]]
	run shell 'ps -ww -o args= -p "$1"; cat "$2/info/cluster/status" "$2/info/cluster/queues/jobs/status"' "${DAEMON[$EXTRA]}" "$EXTRA"
	[[ $output != *SEED* && $output != *"$(sed -n 2p "$BATS_TEST_TMPDIR/user.creds")"* ]]
	end_extra
}

@test "cluster_ca: TLS, with that authority and no other" {
	command -v openssl >/dev/null || skip "no openssl"
	cd "$BATS_TEST_TMPDIR" || return
	local name
	for name in ca other; do
		openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout $name.key -out $name.pem \
			-subj "/CN=$name" -days 2 2>/dev/null
	done
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout server.key -out server.csr \
		-subj /CN=localhost 2>/dev/null
	openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out server.pem \
		-extfile <(echo subjectAltName=DNS:localhost,IP:127.0.0.1) 2>/dev/null
	echo "tls { cert_file: $PWD/server.pem, key_file: $PWD/server.key }" >server.conf
	mount_extra "cluster=tls://127.0.0.1:${PORTS[0]},cluster_ca=$PWD/ca.pem"
	wait_until connected "$EXTRA"
	echo hello >"$EXTRA/cluster/queues/jobs"
	run -0 shell 'first $1/cluster/queues/jobs' "$EXTRA"
	[[ $output == hello ]]
	end_extra
	mount_extra "cluster=tls://127.0.0.1:${PORTS[0]},cluster_ca=$PWD/other.pem"
	wait_until grep -q '^error ' "$EXTRA/info/cluster/status"
	disconnected "$EXTRA"
	end_extra
}
