#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The mount as a whole: starting, options, the tree, ending, and what a dead daemon leaves.
# shellcheck shell=bats disable=SC2016,SC2153,SC2154

load helper
load extra
load refusals

# --- starting -------------------------------------------------------------------------------------

@test "the command returns 0 only once the mount answers" {
	local dir
	for _ in 1 2 3 4 5; do
		dir=$(new_directory)
		run -0 timeout 20 "$IPCFS" "$dir" ${IPCFS_TEST_OPTIONS:+-o "$IPCFS_TEST_OPTIONS"} 3>&-
		[[ -z $output ]]
		ls "$dir/queues" >"$OUT"
		look_after "$dir" "$(pgrep -o -f "^$IPCFS $dir( |\$)")"
	done
}

@test "a mount point that does not exist gives one clear line" {
	run --separate-stderr timeout 20 "$IPCFS" /nonexistent/ipc 3>&-
	one_clear_line /nonexistent/ipc
}

@test "a mount point that is a file gives one clear line" {
	touch "$OUT"
	run --separate-stderr timeout 20 "$IPCFS" "$OUT" 3>&-
	[[ $stderr == "ipcfs: $OUT: Not a directory" ]]
	one_clear_line "$OUT"
}

@test "no mount point gives one clear line" {
	run --separate-stderr timeout 20 "$IPCFS" 3>&-
	one_clear_line "ipcfs: the mount point is missing; see ipcfs --help"
}

@test "an unknown option gives one clear line and mounts nothing" {
	setup_extra
	run --separate-stderr timeout 20 "$IPCFS" "$EXTRA" -o frobnicate 3>&-
	one_clear_line "ipcfs: frobnicate: no such option; see ipcfs --help"
	run ! is_mounted "$EXTRA"
}

@test "a number that is malformed or out of range gives one clear line and mounts nothing" {
	local option dir
	dir=$(new_directory)
	for option in ipcns=0 ipcns=self ipcns=1x ipcns= max_held=0 max_files=-1 max_channels=4294967296; do
		run -1 --separate-stderr timeout -k 1 20 "$IPCFS" "$dir" -o "$option" 3>&-
		[[ ${#stderr_lines[@]} == 1 && $stderr == *"$option: not a number"* ]]
		run ! is_mounted "$dir"
	done
	rmdir "$dir"
}

@test "an unknown flag gives one clear line and mounts nothing" {
	setup_extra
	run --separate-stderr timeout 20 "$IPCFS" "$EXTRA" --frobnicate 3>&-
	one_clear_line "ipcfs: --frobnicate: no such option; see ipcfs --help"
	run ! is_mounted "$EXTRA"
}

@test "-V prints the version, -h the usage, both on stdout" {
	run -0 --separate-stderr "$IPCFS" -V
	[[ ${lines[0]} =~ ^ipcfs\ [0-9]+\.[0-9]+\.[0-9]+$ && -z $stderr ]]
	run -0 --separate-stderr "$IPCFS" -h
	[[ $output == *[Uu]sage*ipcfs*-o* && -z $stderr ]]
}

@test "the words of an fstab line are accepted" {
	setup_extra
	start_ipcfs "$EXTRA" -o rw,noauto,nofail,user,_netdev,x-systemd.automount,noatime,nosuid,nodev,noexec
	grep "$EXTRA .*nosuid.*nodev" /proc/self/mounts
	run -0 ls "$EXTRA"
}

@test "mount -t fuse.ipcfs works for an installed program" {
	# mount(8) looks for it in the system's directories: here, in one that only this test sees
	setup_extra
	run -0 timeout -k 1 20 unshare --mount --propagation private bash -ec '
		mount -t tmpfs none /usr/local/sbin
		ln -s "$IPCFS" /usr/local/sbin/ipcfs
		mount -t fuse.ipcfs none "$EXTRA" -o "noauto,_netdev${IPCFS_TEST_OPTIONS:+,$IPCFS_TEST_OPTIONS}"
		cat "$EXTRA/README"
		umount "$EXTRA"' 3>&-
	[[ $output == *queues* ]]
}

@test "called as mount(8) calls a helper: mount.ipcfs SOURCE MOUNTPOINT -o OPTIONS" {
	setup_extra
	ln -s "$IPCFS" "$BATS_TEST_TMPDIR/mount.ipcfs"
	run -0 timeout 20 "$BATS_TEST_TMPDIR/mount.ipcfs" none "$EXTRA" -o "rw,noauto${IPCFS_TEST_OPTIONS:+,$IPCFS_TEST_OPTIONS}" 3>&-
	run -0 cat "$EXTRA/README"
	umount "$EXTRA"
}

@test "-f stays in the foreground; SIGTERM and SIGINT end it with status 0" {
	local signal
	setup_extra
	for signal in TERM INT; do
		background "$IPCFS" -f "$EXTRA" ${IPCFS_TEST_OPTIONS:+-o "$IPCFS_TEST_OPTIONS"}
		wait_until test -e "$EXTRA/README"
		kill -$signal "$JOB"
		wait_until ended "$JOB"
		wait "$JOB"
		run ! is_mounted "$EXTRA"
	done
}

@test "it mounts even with stdin, stdout and stderr closed" {
	local dir
	dir=$(new_directory)
	run -0 timeout -k 1 20 bash -c '"$IPCFS" "$1" ${IPCFS_TEST_OPTIONS:+-o "$IPCFS_TEST_OPTIONS"} <&- >&- 2>&-' bash "$dir" 3>&-
	look_after "$dir" "$(pgrep -o -f "^$IPCFS $dir( |\$)")"
	run -0 shell 'echo hello > "$1/pipes/p"; cat "$1/pipes/p"' "$dir"
	[[ $output == hello ]]
}

@test "in the background the daemon keeps nothing of the process that started it" {
	setup_extra
	start_ipcfs "$EXTRA"
	[[ $(readlink "/proc/${DAEMON[$EXTRA]}/cwd") == / ]]
	[[ $(ps -o tty= -p "${DAEMON[$EXTRA]}") == "?" ]]
	[[ $(ps -o sid= -p "${DAEMON[$EXTRA]}") != "$(ps -o sid= -p $$)" ]]
	readlink "/proc/${DAEMON[$EXTRA]}/fd"/[012] >"$OUT"
	[[ $(sort -u "$OUT") == /dev/null ]]
}

# --- the tree -------------------------------------------------------------------------------------

@test "the root has the kinds' directories and a README that a user can read" {
	run -0 ls "$IPC"
	for name in README pipes queues shm; do [[ $output == *"$name"* ]]; done
	run -0 cat "$IPC/README"
	[[ $output == *queues* && $(stat -c %s "$IPC/README") == $(wc -c <"$IPC/README") ]]
	run -0 as_user "$OTHER" cat "$IPC/README"
}

@test "ls -la, find, df, stat -f and grep -r of the README work" {
	needs passthrough mqueue_mount
	run -0 shell 'touch $P $Q $S; ls -la $IPC $IPC/*; find $IPC -ignore_readdir_race -path $IPC/sockets/unix -prune -o ! -type d -print; df $IPC; stat -f $IPC; grep -r ipc $IPC/README'
	[[ $output == *"$P"* && $output == *"$Q"* && $output == *"$S"* ]]
}

@test "ls shows . and .. and inode numbers that agree with stat" {
	needs mqueue_mount
	run -0 shell 'touch $P $Q $S; for dir in pipes queues shm; do
			ls -a $IPC/$dir | head -n2
			[[ $(ls -i $IPC/$dir | grep -w $NAME) == *"$(stat -c %i $IPC/$dir/$NAME) $NAME" ]] || echo differs
		done'
	[[ $output == $'.\n..\n.\n..\n.\n..' ]]
}

@test "nothing can be made, removed or renamed in the root" {
	run -1 shell 'echo x > $IPC/x'
	[[ $output == *"Operation not permitted"* ]]
	run -0 shell 'cd $IPC; mkdir x || mkfifo x || rm -f README || rmdir pipes || mv pipes x || ln README x || echo refused; ls'
	[[ $(grep -c "Operation not permitted" <<<"$output") -ge 4 && $output == *refused*README*pipes* ]]
}

@test "the README cannot be written" {
	before=$(cat "$IPC/README")
	run -1 shell 'echo x > $IPC/README'
	run -1 shell 'echo x >> $IPC/README'
	run -1 shell 'truncate -s 0 $IPC/README'
	[[ $(cat "$IPC/README") == "$before" ]]
}

@test "a directory of hundreds of names is listed whole, once each" {
	run -0 shell 'for n in {1..700}; do : > $P.a-rather-long-name-to-fill-the-pages.$n; done
		ls $IPC/pipes | wc -l; ls -U $IPC/pipes | sort -u | wc -l; rm $P.*; ls $IPC/pipes | wc -l'
	[[ $output == $'700\n700\n0' ]]
}

@test "two mounts at once: queues and regions are shared, pipes are each mount's own" {
	setup_extra
	mount_ipcfs "$EXTRA"
	run -0 shell 'echo q > $Q; echo s > $S; echo p > $P
		first $EXTRA/queues/$NAME; cat $EXTRA/shm/$NAME; ls $EXTRA/pipes; rm $EXTRA/shm/$NAME; ls $IPC/shm'
	[[ $output == q$'\n's* && $output != *"$NAME"* ]]
}

# --- ending ---------------------------------------------------------------------------------------

@test "umount ends the daemon" {
	umount "$IPC"
	wait_until ended "${DAEMON[$IPC]}"
}

@test "fusermount3 -u ends the daemon" {
	fusermount3 -u "$IPC"
	wait_until ended "${DAEMON[$IPC]}"
}

# Makes a reader of a pipe, a reader of a queue and a writer to a full pipe wait.
block_three() {
	remount pipe_served=daemon
	touch "$P" "$P.2" "$Q"
	background cat "$P.2"
	background cat "$Q" >"$OUT"
	fill_pipe
	background cp /etc/passwd "$P"
	local job
	for job in "${JOBS[@]}"; do wait_until blocked "$job"; done
	wait_until held 3
}

all_ended() {
	local job
	for job in "${JOBS[@]}"; do ended "$job" || return 1; done
}

@test "umount is refused while somebody waits, and disturbs nobody" {
	block_three
	run ! umount "$IPC"
	[[ $output == *busy* ]]
	held 3
	echo hello >"$Q"
	wait_until contains "$OUT" hello
	wait_until blocked "${JOBS[1]}"
}

@test "SIGTERM answers all waiting requests and ends the daemon" {
	block_three
	kill -TERM "${DAEMON[$IPC]}"
	WITHIN=5 wait_until all_ended
	wait_until ended "${DAEMON[$IPC]}"
	run ! is_mounted "$IPC"
}

@test "after umount -l waiting processes keep waiting, and the daemon ends with the last of them" {
	block_three
	umount -l "$IPC"
	"$MQ" send "$NAME" hello
	wait_until contains "$OUT" hello
	wait_until held 3
	kill -INT "${JOBS[@]}"
	wait_until all_ended
	wait_until ended "${DAEMON[$IPC]}"
}

@test "kill -9 of the daemon: a new mount serves queues and regions as they were" {
	block_three
	shell 'echo a > $Q.2; echo b > $Q.2:7; echo region > $S; chmod 640 $Q.2'
	kill -KILL "${DAEMON[$IPC]}"
	WITHIN=5 wait_until all_ended
	run ! ls "$IPC"
	[[ $output == *"Transport endpoint is not connected"* ]]
	umount "$IPC" || umount -l "$IPC"
	mount_ipcfs "$IPC"
	run -0 shell 'first $Q.2; first $Q.2; cat $S; stat -c %a $Q.2; ls $IPC/pipes'
	[[ $output == $'b\na\nregion\n640' ]]
}

@test "a new mount on top of a dead one's mount point works after umount -l" {
	kill -KILL "${DAEMON[$IPC]}"
	wait_until ended "${DAEMON[$IPC]}"
	wait_until eval '[[ ! -e $IPC ]]' # the kernel remembers for a while what the root is
	run -1 --separate-stderr timeout 20 "$IPCFS" "$IPC" 3>&-
	one_clear_line "ipcfs: $IPC: dead mount; unmount it with 'umount -l $IPC': Transport endpoint is not connected"
	umount -l "$IPC"
	mount_ipcfs "$IPC"
	run -0 shell 'echo hello > $P; cat $P'
}

# --- a thousand -----------------------------------------------------------------------------------

resident() { # KiB
	awk '/^VmRSS/ { print $2 }' "/proc/${DAEMON[$IPC]}/status"
}

descriptors() {
	find "/proc/${DAEMON[$IPC]}/fd" -mindepth 1 | wc -l
}

# Starts a bash with 1000 readers, half on a pipe and half on a queue, which it waits for.
start_thousand() {
	background bash -c 'set -m; exec 2> /dev/null; for n in {1..500}; do cat $P & cat $Q & done; wait'
	WITHIN=40 wait_until held 1000
	mapfile -t READERS < <(pgrep -P "$JOB")
	[[ ${#READERS[@]} == 1000 ]]
}

@test "a thousand blocked readers: the mount works, each ends on SIGINT, nothing is left" {
	remount pipe_served=daemon
	shell 'touch $P $Q; echo warm > $P; cat $P'
	background cat "$Q"
	wait_until blocked "$JOB"
	kill -INT "$JOB"
	wait_until ended "$JOB"
	wait_until eval '! held 1'
	local before
	before=$(descriptors)
	start_thousand
	WITHIN=3 run -0 shell 'ls -l $IPC/pipes $IPC/queues; stat $P $Q; echo x > $P.2; cat $P.2; rm $P.2'
	kill -INT "${READERS[@]}"
	WITHIN=5 wait_until ended "$JOB"
	wait_until eval '! held 1'
	wait_until eval '[[ $(descriptors) == '"$before"' ]]'
}

@test "after a thousand readers, again and again, the daemon has not grown" {
	! grep -q libasan "$IPCFS" || skip "AddressSanitizer keeps what was freed"
	remount pipe_served=daemon
	shell 'touch $P $Q'
	start_thousand
	kill -KILL "${READERS[@]}"
	wait_until ended "$JOB"
	local before
	before=$(resident)
	for _ in 1 2 3; do
		start_thousand
		kill -KILL "${READERS[@]}"
		wait_until ended "$JOB"
	done
	wait_until eval '! held 1'
	echo "resident: $before KiB, then $(resident) KiB"
	(($(resident) < before + 512))
}
