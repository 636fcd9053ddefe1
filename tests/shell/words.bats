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
		mand: refused no mandatory locks
		max_read=4096: refused as long as its reader asks
		blkdev: refused no block device
		blksize=512: refused no block device
		loop: refused no block device #
		offset=1: refused no block device #
		sizelimit=1: refused no block device #
		bind: refused mount --bind #
		rbind: refused mount --rbind #
		move: refused mount --move #
		private: refused mount --make-private #
		rshared: refused mount --make-rshared #
		frobnicate: refused frobnicate
		lazy: refused lazy
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

# What systemctl reload does for a mount unit.
@test "remount by a line of fstab leaves fixed options as they are" {
	run -0 with_helper '
		echo "src $EXTRA ipcfs defaults,nofail,x-systemd.automount,max_held=100,config=/nosuch,$1 0 0" > /mnt/fstab
		mount -t ipcfs src "$EXTRA"
		mount --fstab /mnt/fstab -o remount,ro "$EXTRA"
		findmnt -nro VFS-OPTIONS "$EXTRA"
		mount src "$EXTRA" -o remount,nofail,rw -t ipcfs
		findmnt -nro VFS-OPTIONS "$EXTRA"
		umount "$EXTRA"'
	[[ $output == $'ro,nosuid,nodev,noexec,relatime\nrw,nosuid,nodev,noexec,relatime' ]]
}

@test "remount of what is not ipcfs, or with an unknown word, is refused" {
	run -1 "$IPCFS" none "$EXTRA" -o remount,ro
	[[ $output == *"$EXTRA: no ipcfs is mounted there" ]]
	run -1 "$IPCFS" none /proc -o remount,ro
	[[ $output == *"/proc: no ipcfs is mounted there" ]]
	run -1 "$IPCFS" none "$IPC" -o remount,frobnicate
	[[ $output == *"frobnicate: there is no such option" ]]
	run -0 touch "$Q"
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
	timeout -k 1 20 "$IPCFS" none "$EXTRA" -o auto_unmount 3>&-
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
