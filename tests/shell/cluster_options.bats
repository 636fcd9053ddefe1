#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# -o cluster= and the options that go with it: what they take, what they refuse, and that the mount
# needs no server. None listens here: the mount has a network namespace of its own.
# shellcheck shell=bats disable=SC2016,SC2030,SC2031,SC2153,SC2154

load helper
load extra
load refusals

setup() {
	ipcfs_setup
	setup_extra
	export HELPER=$BATS_TEST_TMPDIR/mount.ipcfs
	sed "s#@IPCFS@#$IPCFS#" "$HERE/../../scripts/install/mount.ipcfs.in" >"$HELPER"
	chmod 755 "$HELPER"
}

needs_nats() {
	[[ $("$IPCFS" -V) == *libnats* ]] || skip "ipcfs was built without NATS"
}

# mounted OPTIONS 'COMMANDS': runs them with a mount at $EXTRA, where no server can be reached.
mounted() {
	options=$1 timeout -k 1 "${WITHIN:-20}" unshare --mount --net --propagation private bash -ec '
		"$IPCFS" "$EXTRA" -o "$options"
		in_force() { getfattr --absolute-names --only-values -n system.ipcfs.options "$EXTRA"; }
		{ '"$2"'; } || status=$?
		umount "$EXTRA"
		exit "${status:-0}"' 3>&-
}

@test "an ipcfs that was built without NATS says so" {
	if [[ $("$IPCFS" -V) == *libnats* ]]; then
		run -0 mounted cluster=a true
		[[ -z $output ]]
	else
		run -1 --separate-stderr timeout 20 "$IPCFS" "$EXTRA" -o cluster=nats://a:4222 3>&-
		one_clear_line "ipcfs: cluster=nats://a:4222: this ipcfs was built without NATS"
	fi
}

@test "servers are taken with and without scheme and port, several options or escaped commas" {
	local given expected
	needs_nats
	while read -r given expected; do
		run -0 mounted "$given" in_force
		[[ $output == "cluster=$expected" ]]
	done <<-'END'
		cluster=nats://one:4222 nats://one:4222
		cluster=one nats://one:4222
		cluster=tls://one.example:1 tls://one.example:1
		cluster=one,cluster=two:5,cluster=one nats://one:4222,nats://two:5
		cluster=one\,tls://two nats://one:4222,tls://two:4222
		cluster=[::1] nats://[::1]:4222
		cluster=[::1]:99 nats://[::1]:99
	END
}

@test "a wrong value says which form it should have" {
	local option text
	needs_nats
	while IFS='|' read -r option text; do
		run -1 --separate-stderr timeout 20 "$IPCFS" "$EXTRA" -o "$option" 3>&-
		one_clear_line "ipcfs: $text"
	done <<-'END'
		cluster=|cluster=: not a server; nats://HOST:4222 and tls://HOST:4222 are
		cluster=a\,|cluster=: not a server; nats://HOST:4222 and tls://HOST:4222 are
		cluster=http://a|cluster=http://a: not a server; nats://HOST:4222 and tls://HOST:4222 are
		cluster=a:0|cluster=a:0: not a server; nats://HOST:4222 and tls://HOST:4222 are
		cluster=a:65536|cluster=a:65536: not a server; nats://HOST:4222 and tls://HOST:4222 are
		cluster=a/b|cluster=a/b: not a server; nats://HOST:4222 and tls://HOST:4222 are
		cluster=a,cluster_timeout=soon|cluster_timeout=soon: not a time; 90, 90s, 10m, 1h and 7d are
		cluster_timeout=9|cluster_timeout: needs the servers as well: cluster=nats://HOST:4222
		cluster_ca=/etc/passwd|cluster_ca: needs the servers as well: cluster=nats://HOST:4222
		cluster_creds=/etc/passwd|cluster_creds: needs the servers as well: cluster=nats://HOST:4222
		cluster=a,cluster_creds=/nothing|/nothing: No such file or directory
		cluster=a,cluster_ca=/nothing|/nothing: No such file or directory
	END
}

@test "a password on the command line is refused, and does not get into the log" {
	local option
	for option in cluster=nats://me:secret@a:4222 cluster=secret@a 'cluster=a\,me:secret@b'; do
		run -1 --separate-stderr timeout 20 "$IPCFS" "$EXTRA" -o "$option" 3>&-
		one_clear_line "ipcfs: cluster=: a user or password does not belong here, where everybody can read it; see cluster_creds= in ipcfs(8)"
	done
}

@test "credentials that others can read are refused, and files that the mount would hide" {
	local creds=$BATS_TEST_TMPDIR/creds mode
	needs_nats
	touch "$creds"
	for mode in 0644 0640 0604; do
		chmod "$mode" "$creds"
		run -1 --separate-stderr timeout 20 "$IPCFS" "$EXTRA" -o "cluster=a,cluster_creds=$creds" 3>&-
		one_clear_line "ipcfs: cluster_creds: $creds: other users have access to it: chmod 600 $creds"
	done
	chmod 600 "$creds"
	chown "$OTHER" "$creds"
	run -1 --separate-stderr timeout 20 "$IPCFS" "$EXTRA" -o "cluster=a,cluster_creds=$creds" 3>&-
	one_clear_line "ipcfs: cluster_creds: $creds: belongs to user $OTHER: chown it to 0, or to root"
	install -m 600 /dev/null "$EXTRA/creds"
	for option in cluster_creds cluster_ca; do
		run -1 --separate-stderr timeout 20 "$IPCFS" "$EXTRA" -o "cluster=a,$option=$EXTRA/creds" 3>&-
		one_clear_line "ipcfs: $EXTRA/creds: the mount would hide this file; move it elsewhere"
	done
	rm "$EXTRA/creds"
}

@test "the paths of files are kept whole, and cluster_timeout= in seconds" {
	needs_nats
	export creds=$BATS_TEST_TMPDIR/creds
	install -m 600 /dev/null "$creds"
	cd "$BATS_TEST_TMPDIR"
	run -0 mounted cluster=a,cluster_creds=creds,cluster_timeout=10m in_force
	[[ $output == "cluster_timeout=600
cluster_creds=$creds
cluster=nats://a:4222" ]]
}

@test "a remount accepts the cluster's options that are in force, and no others" {
	needs_nats
	run -0 mounted cluster=a,cluster=b,cluster_timeout=9 '
		"$IPCFS" none "$EXTRA" -o remount,ro,cluster=nats://a:4222,cluster=b,cluster_timeout=9s
		for option in cluster=a cluster=c cluster_timeout=8 cluster_ca=/dev/null; do
			! "$IPCFS" none "$EXTRA" -o remount,ro,$option 2>&1
		done'
	[[ $output == "ipcfs: cluster=nats://a:4222: cannot be changed by a remount (it is cluster=nats://a:4222,nats://b:4222)
ipcfs: cluster=nats://c:4222: cannot be changed by a remount (it is cluster=nats://a:4222,nats://b:4222)
ipcfs: cluster_timeout=8: cannot be changed by a remount (it is cluster_timeout=9)
ipcfs: cluster_ca=/dev/null: cannot be set by a remount, only by the mount" ]]
}

@test "fstab can name several servers, and mount(8) passes them on" {
	needs_nats
	run -0 timeout -k 1 20 unshare --mount --net --propagation private bash -ec '
		mount -t tmpfs none /mnt; mkdir /mnt/{upper,work}
		mount -t overlay -o lowerdir=/sbin,upperdir=/mnt/upper,workdir=/mnt/work none /sbin
		cp "$HELPER" /sbin/mount.ipcfs
		for list in "cluster=one,cluster=two:5" "cluster=one\\,two:5"; do
			echo "ipcfs $EXTRA ipcfs defaults,nofail,_netdev,$list 0 0" >/mnt/fstab
			mount --fstab /mnt/fstab "$EXTRA"
			mount --fstab /mnt/fstab -o remount,ro "$EXTRA"
			getfattr --absolute-names --only-values -n system.ipcfs.options "$EXTRA"
			umount "$EXTRA"
		done' 3>&-
	[[ $output == "cluster=nats://one:4222,nats://two:5
cluster=nats://one:4222,nats://two:5" ]]
}

@test "without a server the mount is there at once, with the lines of the configuration that need none" {
	needs_nats
	echo 'create cluster/queues/far
create pipes/near capacity=64K # behind the other' >"$BATS_TEST_TMPDIR/conf"
	run -0 mounted "cluster=nats://127.0.0.1:4222,config=$BATS_TEST_TMPDIR/conf,config_strict" '
		echo hello > "$EXTRA/pipes/near"
		head -n 1 "$EXTRA/pipes/near"
		ls "$EXTRA/cluster" "$EXTRA/info/cluster"
		grep -o "^state .*" "$EXTRA/info/cluster/status"
		grep "^ipcfs_cluster_up" "$EXTRA/info/metrics"
		grep -c cluster/ "$EXTRA/README"'
	[[ $output == "hello
$EXTRA/cluster:
queues
topics
values

$EXTRA/info/cluster:
queues
status
topics
values
state connecting
ipcfs_cluster_up 0
1" ]]
}
