#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A daemon in its own mount namespace, where the name service knows the test's accounts.
# libnss-extrausers, as on a real machine, provides user `extra-user`, 23001, and group
# `extra-group`, 23002. Any other name that ends in -N is a user and a group with that number, by
# nss_slow.c, which notes each question in $IPCFS_NSS/asked.
# shellcheck shell=bash disable=SC2016,SC2153

load helper

declare -ga KEPT_OPEN=()

: "${IPCFS_NSS_MODULE:?the full path of libnss_ipcfs.so.2}"

# The daemon's mounts also show outside its namespace if they are below $SHARED.
setup() {
	[[ $(id -u) == 0 ]] || skip "only root can mount here"
	SHARED=$(new_directory)
	mount -t tmpfs -o mode=755 none "$SHARED"
	mount --make-private "$SHARED"
	mount --make-shared "$SHARED"
	export TMPDIR="$SHARED" SHARED D="$SHARED/d" IPCFS_NSS="$SHARED/nss" PROGRAM="$IPCFS"
	mkdir -m 1777 "$D"
	setup_names
	IPCFS="$SHARED/ipcfs"
	ipcfs_setup
	KEY=$(printf '0x%08x' $((0x60000000 | ($$ & 0x3fffff) << 6 | BATS_TEST_NUMBER)))
	export KEY CTL="$IPC/ctl"
}

setup_names() {
	mkdir -p "$IPCFS_NSS/extrausers"
	install -m 666 /dev/null "$IPCFS_NSS/asked"
	printf '%s:    files extrausers ipcfs\n' passwd group >"$IPCFS_NSS/nsswitch.conf"
	echo "extra-user:x:23001:23001::/:/bin/sh" >"$IPCFS_NSS/extrausers/passwd"
	echo "extra-group:x:23002:" >"$IPCFS_NSS/extrausers/group"
	cp "$IPCFS_NSS_MODULE" "$IPCFS_NSS/"
	cat >"$SHARED/ipcfs" <<-'END'
		#!/usr/bin/env bash
		exec unshare --mount --propagation unchanged bash -c '
			set -e
			replace() { # PATH BY
				mount --make-private "$(findmnt -nro TARGET --target "$1")"
				mount --bind "$2" "$1"
			}
			replace /etc/nsswitch.conf "$IPCFS_NSS/nsswitch.conf"
			replace /var/lib/extrausers "$IPCFS_NSS/extrausers"
			export LD_LIBRARY_PATH="$IPCFS_NSS"
			exec "$PROGRAM" "$@"' ipcfs "$@"
	END
	chmod 755 "$SHARED/ipcfs"
}

teardown() {
	local bad=0

	[[ -n ${SHARED:-} ]] || return 0 # skipped
	[[ -z ${KEY:-} ]] || ipcrm -Q "$KEY" -M "$KEY" -S "$KEY" 2>/dev/null || true
	ipcfs_teardown || bad=1
	umount -l "$SHARED"
	rmdir "$SHARED"
	return "$bad"
}

# as UID GROUP COMMAND...: the user is in the group of the same number, and in GROUP.
as() {
	timeout -k 1 20 setpriv --reuid="$1" --regid="$1" --groups="$2" "${@:3}" 3>&-
}

# Prints an object of every kind: KIND/NAME, and the keys that create needs for it.
objects() {
	cat <<-END
		pipes/$NAME
		queues/$NAME maxmsg=3
		shm/$NAME size=4K
		sems/$NAME
		events/$NAME
		sysv/queues/$KEY
		sysv/shm/$KEY size=4K
		sysv/sems/$KEY count=2
		sockets/servers/$NAME listen=unix:$D/s
	END
}

# lines KEY=VALUE...: prints the lines that create all these objects, with these keys.
lines() {
	objects | sed "s/^/create /; s/\$/ $*/"
}

# are OWNER GROUP MODE: succeeds if all these objects have this owner, group and mode, as reported
# by the mount and by the kernel.
are() {
	local object

	for object in $(objects | cut -d' ' -f1); do
		is "$IPC/$object" "$@"
	done
	is "$NATIVE_MQ/$NAME" "$@"
	is "/dev/shm/$NAME" "$@"
	is "/dev/shm/sem.$NAME" "$@"
	for object in q m s; do
		[[ $(ipcs "-$object" | awk -v key="$KEY" '$1 == key { print $3, $4 }') == "$1 $3" ]]
	done
}

is() { # PATH OWNER GROUP MODE; in shm/ it may be a link; a directory may have search bits too
	local mode=$((8#$4)) shown

	shown=$((8#$(stat -Lc %a "$1") & 0666))
	# Without access control lists, the mode also shows what the maker's own group may do.
	[[ $1 != */sysv/* ]] || ! is_off posix_acl || mode=$((mode | shown & mode >> 3))
	[[ $(stat -Lc "%u %g" "$1") == "$2 $3" && $shown == "$mode" ]] || {
		echo "$1 is: $(stat -Lc "%u %g %a" "$1")"
		return 1
	}
}

no_object() {
	local object

	for object in $(objects | cut -d' ' -f1); do
		if [[ -e $IPC/$object || $'\n'$(ls "$IPC/${object%/*}")$'\n' == *$'\n'"${object##*/}"$'\n'* ]]; then
			echo "there is $object"
			return 1
		fi
	done
	[[ ! -e $NATIVE_MQ/$NAME && ! -e /dev/shm/$NAME && ! -e /dev/shm/sem.$NAME && ! -e $D/s ]]
	[[ $(ipcs -qms) != *"$KEY"* ]]
}

last_error() {
	sed '0,/^# Your last error:/d' "$CTL"
}

# --- a slow name service --------------------------------------------------------------------------

# slow NAME...: from now on, lookups of these names wait for `answer`.
slow() {
	mkfifo -m 666 "${@/#/$IPCFS_NSS/}"
}

# answer NAME: lookups of this name, now and later, get an answer.
answer() {
	exec {kept_open}<>"$IPCFS_NSS/$1"
	KEPT_OPEN+=("$kept_open")
}

# asked QUESTION...: succeeds if exactly these questions were asked, in any order.
asked() {
	[[ $(sort "$IPCFS_NSS/asked") == "$(printf '%s\n' "$@" | sort)" ]]
}

forget_asked() {
	: >"$IPCFS_NSS/asked"
}

# write_as UID GROUP FILE TEXT: makes one write(2) to ctl in the background; FILE gets its result.
write_as() {
	background setpriv --reuid="$1" --regid="$1" --groups="$2" \
		python3 "$HERE/ctl_write.py" "$CTL" "$4" >"$3"
}

# result JOB FILE RESULT: the job ends, with that result.
result() {
	wait_until ended "$1"
	[[ $(cat "$2") == "$3" ]] || {
		echo "the result is $(cat "$2")"
		return 1
	}
}

# interrupt JOB FILE: Ctrl-C ends the job at once.
interrupt() {
	kill -INT "$1"
	WITHIN=2 result "$1" "$2" EINTR
}

# --- the configuration file -----------------------------------------------------------------------

# configure: mounts $IPC again, with stdin as its configuration file.
configure() {
	export CONFIG="$SHARED/ipcfs.conf" LOG="$SHARED/log"
	cat >"$CONFIG"
	umount "$IPC"
	wait_until ended "${DAEMON[$IPC]}"
	mount_ipcfs "$IPC" -o "config=$CONFIG" 2>"$LOG"
}

hangup() {
	kill -HUP "${DAEMON[$IPC]}"
}

no_fault() {
	run -1 grep -F "$CONFIG" "$LOG"
}
