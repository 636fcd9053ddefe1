#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Every word that mount(8), fstab(5) and systemd have for a mount: it works, is ignored, or is
# refused with a reason. Tried directly, and through mount(8), which keeps some words to itself.
# shellcheck shell=bats disable=SC2016,SC2030,SC2031

load helper

# WORD: +FLAG that the mount then has, -FLAG that it does not have, "ignored", or "refused" TEXT. A
# trailing # marks those that mount(8) does not pass on, or handles itself.
words() {
	cat <<-END
		defaults: ignored
		ro: +ro
		rw: -ro
		ro,rw: -ro
		noexec: +noexec
		exec: -noexec #
		allow_exec: -noexec
		noexec,allow_exec: -noexec
		allow_exec,noexec: +noexec #
		sync: +sync
		sync,async: -sync
		dirsync: +dirsync
		noatime: +noatime
		nodiratime: +nodiratime
		nosymfollow: +nosymfollow
		symfollow: -nosymfollow
		dev: +nodev
		suid: +nosuid
		nodev: +nodev
		nosuid: +nosuid
		user,dev,suid: +nosuid
		allow_other: ignored
		allow_root: ignored
		default_permissions: ignored
		auto_unmount: ignored
		auto: ignored
		noauto: ignored
		nofail: ignored
		_netdev: ignored
		user: ignored
		user=root: ignored #
		nouser: ignored
		users: ignored
		nousers: ignored
		owner: ignored
		noowner: ignored
		group: ignored
		nogroup: ignored
		comment=systemd.automount: ignored
		x-systemd.automount: ignored
		x-systemd.requires=a.mount: ignored
		x-systemd.device-timeout=1s: ignored
		x-initrd.mount: ignored
		x-gvfs-hide: ignored
		X-mount.mkdir: ignored
		X-mount.mkdir=0755: ignored
		X-fstrim.notrim: ignored
		helper=x: ignored
		uhelper=x: ignored
		atime: ignored
		diratime: ignored
		relatime: ignored
		norelatime: ignored
		strictatime: ignored
		nostrictatime: ignored
		lazytime: ignored
		nolazytime: ignored
		iversion: ignored
		noiversion: ignored
		nomand: ignored
		silent: ignored
		loud: ignored
		nonempty: ignored
		fsname=x: ignored
		subtype=x: ignored
		mand: refused mandatory locks are not supported
		max_read=4096: refused as long as its reader asks
		blkdev: refused ipcfs has no block device
		blksize=512: refused ipcfs has no block device
		loop: refused ipcfs has no block device #
		offset=1: refused ipcfs has no block device #
		sizelimit=1: refused ipcfs has no block device #
		bind: refused mount --bind #
		rbind: refused mount --rbind #
		move: refused mount --move #
		private: refused mount --make-private #
		rshared: refused mount --make-rshared #
		frobnicate: refused frobnicate
		lazy: refused ipcfs: lazy: no such option; see ipcfs --help
		user_id=0: refused user_id=0: no such option; see ipcfs --help #
		allow_exe: refused allow_exe: no such option; see ipcfs --help
		-x-: refused -x-
	END
}

setup() {
	ipcfs_setup
	EXTRA=$(new_directory)
	export EXTRA
	HELPER=$BATS_TEST_TMPDIR/mount.ipcfs
	sed "s#@IPCFS@#$IPCFS#" "$HERE/../../scripts/install/mount.ipcfs.in" >"$HELPER"
	chmod 755 "$HELPER"
	export HELPER
}

teardown() {
	! is_mounted "$EXTRA" || umount -l "$EXTRA"
	rmdir "$EXTRA"
	ipcfs_teardown
}

# try WORD EXPECTED COMMAND...: mounts $EXTRA, checks it, and unmounts it.
try() {
	local word=$1 expected=$2 text flags status=0

	text=$(timeout -k 1 20 "${@:3}" 2>&1 3>&-) || status=$?
	flags=,$(findmnt -nro OPTIONS "$EXTRA"), || flags=
	[[ -z $flags ]] || umount "$EXTRA"
	case $expected in
	refused*) [[ $status != 0 && -z $flags && $text == *"${expected#refused }"* ]] ;;
	ignored*) [[ $flags == *,nosuid,nodev,*noexec,* ]] ;;
	+*) [[ $flags == *,nosuid,nodev,* && $flags == *",${expected#+},"* ]] ;;
	-*) [[ $flags == *,nosuid,nodev,* && $flags != *",${expected#-},"* ]] ;;
	esac || {
		echo "$word: expected $expected; status $status, flags $flags: $text"
		return 1
	}
}

@test "each word of mount(8), given directly" {
	local word expected bad=0
	while IFS=: read -r word expected; do
		expected=${expected# }
		try "$word" "${expected% #}" "$IPCFS" none "$EXTRA" -o "$word" || bad=1
	done < <(words)
	[[ $bad == 0 ]]
}

# with_helper 'COMMANDS': runs them in a mount namespace in which mount(8) finds the helper.
with_helper() {
	timeout -k 1 "${WITHIN:-20}" unshare --mount --propagation private bash -ec '
		mount -t tmpfs none /mnt; mkdir /mnt/{upper,work}
		mount -t overlay -o lowerdir=/sbin,upperdir=/mnt/upper,workdir=/mnt/work none /sbin
		cp "$HELPER" /sbin/mount.ipcfs; cp "$HELPER" /sbin/mount.fuse.ipcfs
		'"$1" 3>&-
}

@test "each word of mount(8) through mount -t ipcfs and -t fuse.ipcfs" {
	export -f try words
	WITHIN=100 run -0 with_helper '
		bad=0
		while IFS=: read -r word expected; do
			expected=${expected# }
			[[ $expected != *# ]] || continue
			for type in ipcfs fuse.ipcfs; do
				try "$word" "$expected" mount -t "$type" none "$EXTRA" -o "$word" || bad=1
			done
		done < <(words)
		exit $bad'
}

@test "mount -o remount changes ro, noexec and the like, and keeps the daemon, nosuid and nodev" {
	run -0 with_helper '
		flags() { findmnt -nro VFS-OPTIONS "$EXTRA"; }
		mount -t ipcfs none "$EXTRA"
		echo 1 > "$EXTRA/events/e"
		mount -o remount,ro "$EXTRA"; flags
		touch "$EXTRA/queues/$NAME" 2>&1 | grep -o "Read-only.*" || echo made
		read -r n < "$EXTRA/events/e"; echo "$n"
		mount -o remount,rw,allow_exec,noatime "$EXTRA"; flags
		touch "$EXTRA/queues/$NAME"; rm "$EXTRA/queues/$NAME"
		mount -o remount,noexec "$EXTRA"; flags
		umount "$EXTRA"'
	[[ $output == 'ro,nosuid,nodev,noexec,relatime
Read-only file system
1
rw,nosuid,nodev,noatime
rw,nosuid,nodev,noexec,noatime' ]]
}

@test "remount to ro is refused while something is open for writing, and says so" {
	run -32 with_helper '
		mount -t ipcfs none "$EXTRA"
		exec 7>"$EXTRA/ctl"
		status=0; mount -o remount,ro "$EXTRA" || status=$?
		exec 7>&-; umount "$EXTRA"; exit $status'
	[[ $output == *"ipcfs: $EXTRA: cannot be remounted: Device or resource busy"* ]]
}

# What systemctl reload does for a mount unit.
@test "remount by the line of fstab that it was mounted by changes only what may change" {
	run -0 with_helper '
		lasting=max_held=100,config=/mnt/conf,config_strict,without=resend,foreign=net:ipc,spin=7,supervise=no,auto_unmount
		lasting=$lasting,pipe_capacity=64K,pipe_eof=never,pipe_served=daemon,max_files=99,allow_root
		echo "src $EXTRA ipcfs defaults,nofail,x-systemd.automount,$lasting 0 0" > /mnt/fstab
		: > /mnt/conf
		mount --fstab /mnt/fstab "$EXTRA"
		mount --fstab /mnt/fstab -o remount,ro "$EXTRA"
		findmnt -nro VFS-OPTIONS "$EXTRA"
		mount src "$EXTRA" -o remount,nofail,rw -t ipcfs
		findmnt -nro VFS-OPTIONS "$EXTRA"
		umount "$EXTRA"'
	[[ $output == $'ro,nosuid,nodev,noexec,relatime\nrw,nosuid,nodev,noexec,relatime' ]]
}

@test "remount of what is not ipcfs, or with an unknown word, is refused" {
	run -1 "$IPCFS" none "$EXTRA" -o remount,ro
	[[ $output == "ipcfs: $EXTRA: no ipcfs is mounted here" ]]
	run -1 "$IPCFS" none /proc -o remount,ro
	[[ $output == "ipcfs: /proc: no ipcfs is mounted here" ]]
	run -1 "$IPCFS" none "$IPC" -o remount,frobnicate
	[[ $output == "ipcfs: frobnicate: no such option; see ipcfs --help" ]]
	run -0 touch "$Q"
}

@test "remount with an option that it cannot change is refused, unless that option is in force" {
	local option
	timeout -k 1 20 "$IPCFS" none "$EXTRA" -o max_files=500,pipe_capacity=64K,ipcns=$$ 3>&-
	for option in max_files=500 max_files=1,max_files=500 pipe_capacity=65536 ipcns=$$ allow_other user_id=0; do
		run -0 "$IPCFS" none "$EXTRA" -o "remount,ro,$option"
		[[ -z $output ]]
	done
	run -1 "$IPCFS" none "$EXTRA" -o remount,rw,max_files=8
	[[ $output == "ipcfs: max_files=8: cannot be changed by a remount (it is max_files=500)" ]]
	for option in config=/dev/null config_strict auto_unmount foreign=net:pid without=resend:prune spin=5 max_held=9 pipe_eof=never allow_root; do
		run -1 "$IPCFS" none "$EXTRA" -o "remount,rw,$option"
		[[ $output == "ipcfs: $option: cannot be set by a remount, only by the mount" ]]
	done
	# LeakSanitizer does not work under strace(1).
	run -1 env ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0" strace -qq -o /dev/null \
		-e inject=getxattr:error=EOPNOTSUPP "$IPCFS" none "$EXTRA" -o remount,rw,max_files=500
	[[ $output == "ipcfs: max_files=500: cannot be changed by a remount; what is in force at $EXTRA is unknown: Operation not supported" ]]
	# The remounts that were refused have changed nothing.
	[[ $(findmnt -nro VFS-OPTIONS "$EXTRA") == ro,* ]]
	run -32 with_helper 'mount -o remount,rw,max_files=8 "$EXTRA"'
	[[ $output == *"max_files=8: cannot be changed by a remount (it is max_files=500)"* ]]
}

@test "remount without further options works on a bind mount, and asks the daemon nothing" {
	timeout -k 1 20 "$IPCFS" none "$EXTRA" -o max_files=500 3>&-
	run -0 with_helper '
		mkdir /mnt/queues; mount --bind "$EXTRA/queues" /mnt/queues
		mount -o remount,ro /mnt/queues; findmnt -nro VFS-OPTIONS /mnt/queues; umount /mnt/queues
		mount -o remount,ro,max_files=500 "$EXTRA"'
	[[ $output == ro,* ]]
	run -0 env ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0" strace -qq -o /dev/null \
		-e inject=getxattr:error=EOPNOTSUPP "$IPCFS" none "$EXTRA" -o remount,rw,allow_other
}

@test "others than root and the mounting user are not told the options in force" {
	run -0 python3 -c 'import os, sys; os.getxattr(sys.argv[1], "system.ipcfs.options")' "$IPC"
	run ! as_user "$OTHER" python3 -c 'import os, sys; os.getxattr(sys.argv[1], "system.ipcfs.options")' "$IPC"
	run -0 python3 -c 'import os, sys; assert os.listxattr(sys.argv[1]) == [], os.listxattr(sys.argv[1])' "$IPC"
}

@test "auto_unmount removes the mount of a daemon that was killed" {
	start_ipcfs "$EXTRA" -o auto_unmount
	kill -KILL "${DAEMON[$EXTRA]}"
	wait_until is_not_mounted "$EXTRA"
	kill "${WATCHDOG[$EXTRA]}"
	# shellcheck disable=SC2034 # teardown of helper.bash reads it
	MOUNTS=("$IPC")
}

@test "auto_unmount leaves no process behind after umount, and touches no mount but its own" {
	timeout -k 1 20 "$IPCFS" none "$EXTRA" -o auto_unmount 3>&-
	umount "$EXTRA"
	wait_until has_ended "$EXTRA"
	# Without a supervisor: a daemon whose supervisor has died unmounts by itself, at the path.
	timeout -k 1 20 "$IPCFS" none "$EXTRA" -o auto_unmount,supervise=no 3>&-
	mount -t tmpfs none "$EXTRA"
	kill -KILL "$(pgrep -o -f "^$IPCFS none $EXTRA ")"
	wait_until has_ended "$EXTRA"
	[[ $(findmnt -nro FSTYPE "$EXTRA") == *tmpfs ]]
	umount "$EXTRA"
}

is_not_mounted() { # DIRECTORY
	! is_mounted "$1"
}

has_ended() { # MOUNTPOINT
	! pgrep -f "^$IPCFS none $1 " >/dev/null
}
