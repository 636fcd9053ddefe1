# SPDX-License-Identifier: GPL-2.0-or-later
# A second mount point beside $IPC, where the test mounts or fails to mount.
# shellcheck shell=bash disable=SC2153

setup_extra() {
	EXTRA=$(new_directory)
	export EXTRA
}

teardown() {
	if [[ -n ${EXTRA:-} && -z ${DAEMON[$EXTRA]:-} ]]; then
		! is_mounted "$EXTRA" || umount -l "$EXTRA"
		rmdir "$EXTRA"
	fi
	ipcfs_teardown
}
