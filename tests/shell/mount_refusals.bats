#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What the program says about options and machines with which it cannot mount, or not as asked.
# shellcheck shell=bats disable=SC2016,SC2153,SC2154

load helper
load extra
load refusals

@test "a wrong value says which form it should have" {
	local option text
	setup_extra
	while IFS='|' read -r option text; do
		run -1 --separate-stderr timeout 20 "$IPCFS" "$EXTRA" -o "$option" 3>&-
		one_clear_line "ipcfs: $option: $text"
	done <<-END
		pipe_capacity=lots|not a size (a number, optionally followed by K, M or G)
		pipe_capacity=1|out of range (4096 to 2147483647)
		pipe_eof=often|not one of auto, never
		pipe_served=|not one of kernel, daemon
		foreign=mnt|not a list of net, ipc and pid, separated by colons
		spin=10001|not a number from 0 to 10000
	END
	run -1 --separate-stderr timeout 20 "$IPCFS" a b c 3>&-
	one_clear_line "ipcfs: c: one mount point too many; see ipcfs --help"
}

# with_dev 'COMMANDS': runs them with a /dev that has only shm.
with_dev() {
	timeout -k 1 20 unshare --mount --propagation private bash -c '
		mount -t tmpfs none /mnt; mkdir /mnt/shm; mount --bind /dev/shm /mnt/shm
		mount -t tmpfs -o mode=755 none /dev; mkdir /dev/shm; mount --bind /mnt/shm /dev/shm
		'"$1" 3>&-
}

@test "without /dev/fuse, or where it cannot be opened, the line says so" {
	setup_extra
	run --separate-stderr with_dev 'exec "$IPCFS" "$EXTRA"'
	one_clear_line "ipcfs: /dev/fuse: missing; load the module with 'modprobe fuse', or give this container the device"
	run --separate-stderr with_dev 'mkdir /dev/fuse; exec "$IPCFS" "$EXTRA"'
	one_clear_line "ipcfs: /dev/fuse: Is a directory"
}

@test "a request timeout of the kernel gives one clear line, which says what to set" {
	local name=/proc/sys/fs/fuse/default_request_timeout
	[[ -e $name ]] || skip "the kernel has no such setting"
	setup_extra
	export name
	run --separate-stderr timeout -k 1 20 unshare --mount --propagation private bash -c '
		mount -t tmpfs none /mnt; echo 60 >/mnt/timeout; mount --bind /mnt/timeout "$name"
		exec "$IPCFS" "$EXTRA"' 3>&-
	one_clear_line "ipcfs: $name: the kernel would abort the mount after a wait of 60 s; set it to 0"
	run ! is_mounted "$EXTRA"
}

@test "where fusermount3 cannot be run, the line says why" {
	setup_extra
	chown "$OTHER" "$EXTRA"
	install -m 755 "$IPCFS" "$BATS_TEST_TMPDIR/ipcfs"
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_TEST_TMPDIR" "${BATS_TEST_TMPDIR%/*}"
	run --separate-stderr with_dev '
		touch /mnt/none
		for program in $(type -ap fusermount3); do mount --bind /mnt/none "$program"; done
		mknod -m 666 /dev/fuse c 10 229; mknod -m 666 /dev/null c 1 3
		exec setpriv --reuid="$OTHER" --regid="$OTHER" --clear-groups "$BATS_TEST_TMPDIR/ipcfs" "$EXTRA"'
	one_clear_line "ipcfs: fusermount3: cannot be run: Permission denied"
}

@test "where fusermount3 refuses, its own words come first" {
	[[ -u $(command -v fusermount3) ]] || skip "no fusermount3 that may mount"
	setup_extra
	install -m 755 "$IPCFS" "$BATS_TEST_TMPDIR/ipcfs"
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_TEST_TMPDIR" "${BATS_TEST_TMPDIR%/*}"
	run -1 --separate-stderr with_dev '
		mknod -m 666 /dev/fuse c 10 229; mknod -m 666 /dev/null c 1 3
		exec setpriv --reuid="$OTHER" --regid="$OTHER" --clear-groups "$BATS_TEST_TMPDIR/ipcfs" "$EXTRA"'
	[[ ${stderr_lines[0]} == "fusermount3: "* && ${stderr_lines[1]} == "ipcfs: $EXTRA: refused by fusermount3" ]]
	[[ ${#stderr_lines[@]} == 2 ]]
}

@test "a pipe_capacity that the kernel will cut is a warning with the limit" {
	setup_extra
	mount_ipcfs "$EXTRA" -o pipe_capacity=1G,pipe_served=kernel 2>"$OUT"
	grep -E "^ipcfs: pipe_capacity=1073741824: above (half of /proc/sys/fs/pipe-user-pages-soft|/proc/sys/fs/pipe-max-size), so FIFOs will hold 64 KiB; raise that limit$" "$OUT"
	run -0 grep -c pipe_capacity "$OUT"
	[[ $output == 1 ]]
	umount "$EXTRA"
	wait_until ended "${DAEMON[$EXTRA]}"
	mount_ipcfs "$EXTRA" -o pipe_capacity=512K 2>"$OUT"
	run ! grep pipe_capacity "$OUT"
}

@test "a kind that the machine does not have is a warning that names it" {
	setup_extra
	run -0 --separate-stderr timeout 20 unshare --mount --propagation private bash -c '
		mount -t tmpfs none /dev; mknod -m 666 /dev/fuse c 10 229; mknod -m 666 /dev/null c 1 3
		"$IPCFS" "$EXTRA" && umount "$EXTRA"' 3>&-
	[[ ${stderr_lines[0]} == "ipcfs: shm: not available on this machine: No such file or directory" ]]
}

@test "a second mount at the same place is made, with a warning" {
	setup_extra
	timeout 20 "$IPCFS" "$EXTRA" ${IPCFS_TEST_OPTIONS:+-o "$IPCFS_TEST_OPTIONS"} 3>&-
	run -0 --separate-stderr timeout 20 "$IPCFS" "$EXTRA" 3>&-
	[[ $stderr == *"ipcfs: $EXTRA: an ipcfs is mounted here already; this one will hide it"* ]]
	umount "$EXTRA"
	umount "$EXTRA"
}

@test "a warning says what the lack of CAP_SYS_PTRACE means" {
	setup_extra
	setpriv --bounding-set -sys_ptrace --inh-caps -all "$IPCFS" -f "$EXTRA" 2>"$OUT" 3>&- &
	wait_until test -e "$EXTRA/README"
	look_after "$EXTRA" $!
	contains "$OUT" "ipcfs: CAP_SYS_PTRACE: missing, so callers from other namespaces cannot be told apart and all are served; grant it to refuse them"
}
