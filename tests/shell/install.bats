#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What is installed beside the program: the helper for mount(8). completion.bats has the completions.
# shellcheck shell=bats disable=SC2016,SC2030,SC2031

load helper

setup() {
	ipcfs_setup
	INSTALL=$HERE/../../scripts/install
	EXTRA=$(new_directory)
	HELPER=$BATS_TEST_TMPDIR/mount.ipcfs
	sed "s#@IPCFS@#$IPCFS#" "$INSTALL/mount.ipcfs.in" >"$HELPER"
	chmod 755 "$HELPER"
}

teardown() {
	! is_mounted "$EXTRA" || umount -l "$EXTRA"
	rmdir "$EXTRA"
	ipcfs_teardown
}

helper() { # ARGUMENT...
	timeout -k 1 20 "$HELPER" "$@" 3>&-
}

# --- --help ---------------------------------------------------------------------------------------

@test "--help fits a screen of 24 lines of 80" {
	run -0 "$IPCFS" --help
	[[ ${#lines[@]} -gt 5 && $(wc -l <<<"$output") -le 23 && $(wc -L <<<"$output") -le 80 ]]
}

# Whether the program is linked with a library: 1 or 0.
links() { # LIBRARY
	grep -ac "$1\.so" "$IPCFS" || :
}

@test "--version: the version alone, and then what it is built with" {
	run -0 "$IPCFS" --version
	[[ ${lines[0]} == "ipcfs $(sed -n "s/^ *version: '\(.*\)',/\1/p" "$HERE/../../meson.build")" ]]
	case $(links libfuse3) in
	0) [[ ${lines[1]} =~ ^libfuse:\ 3\.[0-9.]+,\ built\ in$ ]] ;;
	*) [[ ${lines[1]} =~ ^libfuse:\ 3\.[0-9.]+,\ the\ system\'s$ ]] ;;
	esac
	case $(links libnats) in
	0) [[ ${lines[2]} == "cluster: no" ]] ;;
	*) [[ ${lines[2]} =~ ^cluster:\ libnats\ [0-9.]+$ ]] ;;
	esac
	case $(links libsystemd) in
	0) [[ ${lines[3]} == "systemd: no" ]] ;;
	*) [[ ${lines[3]} == "systemd: yes" ]] ;;
	esac
	[[ ${#lines[@]} == 4 ]]
}

# --- mount.ipcfs ----------------------------------------------------------------------------------

@test "mount.ipcfs takes what mount(8) gives: SOURCE MOUNTPOINT -o OPTIONS -t TYPE" {
	run -0 helper none "$EXTRA" -n -s -o rw,noexec -t fuse.ipcfs
	[[ -z $output ]]
	run -0 findmnt -no SOURCE,FSTYPE,OPTIONS "$EXTRA"
	[[ $output =~ ^none\ +fuse.ipcfs\ .*noexec ]]
	run -0 cat "$EXTRA/README"
}

@test "mount.ipcfs: options first, flags in one word, sources with blanks and commas" {
	run -0 helper -nv -o rw "a b,c" "$EXTRA"
	[[ $output == *"ipcfs a b,c $EXTRA -o rw" ]]
	run -0 findmnt -nro SOURCE "$EXTRA"
	[[ $output == 'a\x20b,c' ]]
}

@test "mount.ipcfs -f mounts nothing" {
	run -0 helper -f none "$EXTRA"
	run ! is_mounted "$EXTRA"
}

@test "mount.ipcfs exits with 32 when the mount fails, and says why" {
	run -32 helper none /nonexistent/ipc
	[[ $output == *nonexistent* ]]
	run -32 helper none "$EXTRA" -o frobnicate
	[[ $output == *frobnicate* ]]
	run ! is_mounted "$EXTRA"
}

@test "mount.ipcfs exits with 1 when it is called wrongly" {
	run -1 helper
	[[ $output == usage:* ]]
	run -1 helper none
	run -1 helper none "$EXTRA" more
	run -1 helper none "$EXTRA" -x
	run -1 helper none "$EXTRA" -N 1
	[[ $output == *": -N 1: cannot mount in another namespace; use nsenter(1)" ]]
	run ! is_mounted "$EXTRA"
}

@test "mount finds the helper for types ipcfs and fuse.ipcfs, and mount -a mounts a line once" {
	local type
	for type in ipcfs fuse.ipcfs; do
		run -0 timeout -k 1 20 unshare --mount --propagation private bash -ec '
			mount -t tmpfs none /mnt; mkdir /mnt/{upper,work}
			mount -t overlay -o lowerdir=/sbin,upperdir=/mnt/upper,workdir=/mnt/work none /sbin
			cp "$1" "/sbin/mount.$2"
			echo "anything $3 $2 allow_exec,nofail 0 0" > /mnt/fstab
			mount --fstab /mnt/fstab -a; mount --fstab /mnt/fstab -a
			findmnt -no SOURCE,TARGET,OPTIONS -t fuse.ipcfs | grep -w "$3"
			umount "$3"' bash "$HELPER" "$type" "$EXTRA" 3>&-
		[[ $(wc -l <<<"$output") == 1 && $output == anything* && $output != *noexec* ]]
	done
}
