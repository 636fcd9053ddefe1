#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# A mount of a user who is not root, at $MINE: in a user namespace, or by fusermount3. It serves
# that user with that user's rights. $IPC is root's mount of the same queues and regions.
# shellcheck shell=bats disable=SC2016,SC2153

load helper

setup_file() {
	local way
	WAYS=
	for way in namespace fusermount; do
		! can "$way" || WAYS+=" $way"
	done
	export WAYS
}

can() { # WAY
	[[ $(id -u) == 0 ]] || return 1
	[[ $1 != fusermount || -u $(command -v fusermount3) ]] || return 1
	ROOM=$(new_directory)
	export ROOM MINE="$ROOM/ipc"
	by_user "$1" true || return 1
	rmdir "$ROOM"
}

setup() {
	[[ -n $WAYS ]] || skip "no user but root can mount here"
	ipcfs_setup
	ROOM=$(new_directory)
	export ROOM MINE="$ROOM/ipc" MQUEUE='' MEANWHILE=''
	export MY_P="$MINE/pipes/$NAME" MY_Q="$MINE/queues/$NAME" MY_S="$MINE/shm/$NAME"
}

teardown() {
	[[ -n $WAYS ]] || return 0
	ipcfs_teardown
	rmdir "$ROOM"
}

# by_user WAY 'WHAT THE USER TYPES': runs it while the user's mount is there. Nothing of it is seen
# outside: mounts and processes are in namespaces that end with it. The user gets a separate /dev,
# because on some machines /dev/fuse is root's only. If $MQUEUE is set it has /dev/mqueue, as
# systemd sets it up. Root runs $MEANWHILE there.
by_user() {
	timeout -k 1 "${WITHIN:-20}" unshare --mount --propagation private --pid --fork --mount-proc \
		--kill-child bash -ec '
			mount -t tmpfs -o mode=1777 none "$ROOM"
			mkdir "$ROOM/shm"
			mount --bind /dev/shm "$ROOM/shm"
			mount -t tmpfs -o mode=755 none /dev
			mkdir /dev/shm /dev/mqueue
			mount --move "$ROOM/shm" /dev/shm
			mknod -m 666 /dev/null c 1 3
			mknod -m 666 /dev/fuse c 10 229
			ln -s /proc/self/fd /dev/fd
			[[ -z ${MQUEUE:-} ]] || mount -t mqueue none /dev/mqueue
			install -m 755 "$IPCFS" "$ROOM/ipcfs"
			install -d -o "$OTHER" -g "$OTHER" "$MINE"
			[[ -z ${MEANWHILE:-} ]] || bash -c "$MEANWHILE" &
			enter=(setpriv --reuid="$OTHER" --regid="$OTHER" --clear-groups)
			[[ $1 == fusermount ]] || enter+=(unshare --user --map-root-user --mount)
			"${enter[@]}" bash -c "$2"' bash "$1" "$WITH_MOUNT"$'\n'"$2" 3>&-
}

# await KIND/NAME: waits until somebody waits for that channel of the user's mount.
WITH_MOUNT='
	"$ROOM/ipcfs" -f "$MINE" ${IPCFS_TEST_OPTIONS:+-o "$IPCFS_TEST_OPTIONS"} 2>/dev/null & daemon=$!
	until [[ -e $MINE/README ]]; do kill -0 $daemon || exit; sleep 0.02; done
	trap "status=\$?; cd /; kill \$daemon; wait \$daemon && exit \$status" EXIT
	await() { until grep -qx "waiting 1" "$MINE/info/$1/status"; do sleep 0.02; done; } # 1 of that channel
'

# expect OUTPUT 'WHAT THE USER TYPES': prints that, whichever way the user mounts.
expect() {
	local way
	for way in $WAYS; do
		run -0 by_user "$way" "$2"
		[[ $output == "$1" ]] || {
			echo "by $way, instead of: $1"
			return 1
		}
	done
}

# refused N: that many commands failed for lack of permission. In a user namespace, the kernel says
# EOVERFLOW to a process that would remove something whose owner is unknown there.
refused() {
	[[ $(grep -c "^refused" <<<"$output") == "$1" ]]
	[[ $(grep -cE "Permission denied|Operation not permitted|Value too large" <<<"$output") == "$1" ]]
}

@test "a user can mount in a user namespace and by fusermount3" {
	[[ $WAYS == " namespace fusermount" ]] || skip "only$WAYS can be tried on this machine"
}

@test "SIGTERM ends the user's mount cleanly" {
	expect $'0\nunmounted' 'kill $daemon; wait $daemon; echo $?; grep -q "$MINE" /proc/self/mountinfo || echo unmounted
		daemon=; trap - EXIT'
}

@test "fusermount3 -u ends the user's mount cleanly" {
	[[ $WAYS == *fusermount* ]] || skip "no fusermount3 that may mount"
	run -0 by_user fusermount 'trap - EXIT; fusermount3 -u "$MINE"; wait $daemon; echo $?'
	[[ $output == 0 ]]
}

@test "in the background too, the command returns when the mount answers" {
	expect hello 'mkdir "$ROOM/2"; "$ROOM/ipcfs" "$ROOM/2" ${IPCFS_TEST_OPTIONS:+-o "$IPCFS_TEST_OPTIONS"} 2>/dev/null; echo hello > "$ROOM/2/pipes/p"; cat "$ROOM/2/pipes/p"
		fusermount3 -u "$ROOM/2" || umount "$ROOM/2"'
}

@test "what a user types in ipcfs(8) mounts, writes, and unmounts" {
	[[ $WAYS == *fusermount* ]] || skip "no fusermount3 that may mount"
	COMMANDS=$(awk '/^```/ { inside = !inside } inside && sub(/^[$] /, "")' "$HERE/../../docs/ipcfs.8.scd" |
		grep -v -- --status) # which status.bats tests
	export COMMANDS
	[[ $(wc -l <<<"$COMMANDS") == 3 ]]
	run -0 by_user fusermount 'mkdir "$ROOM/home"; export HOME="$ROOM/home" PATH="$ROOM:$PATH"
		eval "$COMMANDS" 2>&1; grep -c "$HOME/ipc" /proc/self/mountinfo || :'
	[[ $output == 0 ]]
}

@test "auto_unmount removes the mount of a user's daemon that was killed" {
	expect gone 'mkdir "$ROOM/2"; "$ROOM/ipcfs" -f "$ROOM/2" -o "auto_unmount${IPCFS_TEST_OPTIONS:+,$IPCFS_TEST_OPTIONS}" 2>/dev/null & second=$!; disown
		until [[ -e $ROOM/2/README ]]; do kill -0 $second || exit; sleep 0.02; done
		kill -KILL $second; while grep -q "$ROOM/2" /proc/self/mountinfo; do sleep 0.02; done; echo gone'
}

@test "the mount is noexec, unless exec is given" {
	expect $'noexec\nexec' 'at() { grep " $1 .*noexec" /proc/self/mountinfo > /dev/null && echo noexec || echo exec; }
		at "$MINE"; mkdir "$ROOM/2"; "$ROOM/ipcfs" "$ROOM/2" -o "${IPCFS_TEST_OPTIONS:+$IPCFS_TEST_OPTIONS,}noexec,exec" 2>/dev/null
		at "$ROOM/2"; fusermount3 -u "$ROOM/2" || umount "$ROOM/2"'
}

@test "nobody else sees what is in the user's mount, not even root" {
	local MEANWHILE='until [[ -s $ROOM/daemon ]]; do sleep 0.02; done
		ls "/proc/$(< "$ROOM/daemon")/root$MINE/pipes" &> "$ROOM/root.tmp"; mv "$ROOM/root.tmp" "$ROOM/root"'
	expect "Permission denied" 'touch $MY_P; echo $daemon > "$ROOM/daemon"
		until [[ -e $ROOM/root ]]; do sleep 0.02; done; grep -o "Permission denied\|$NAME" "$ROOM/root"'
}

@test "the configuration is the user's or root's, not a file that anybody may write" {
	[[ $WAYS == *fusermount* ]] || skip "no fusermount3 that may mount"
	local MEANWHILE='for name in root other; do echo "create pipes/$name" > "$ROOM/$name"; done
		chown 4321 "$ROOM/other"; touch "$ROOM/made"'
	run -0 by_user fusermount 'until [[ -e $ROOM/made ]]; do sleep 0.02; done; umask 002
		echo "create pipes/mine" > "$ROOM/mine"; echo "create pipes/all" > "$ROOM/all"; chmod 666 "$ROOM/all"; mkdir "$ROOM/2"
		for name in mine root other all; do
			"$ROOM/ipcfs" "$ROOM/2" -o "config=$ROOM/$name${IPCFS_TEST_OPTIONS:+,$IPCFS_TEST_OPTIONS}" 2>&1 | grep -o "refused: .*" || :
			ls "$ROOM/2/pipes"; fusermount3 -u "$ROOM/2"; done'
	[[ $output == $'mine\nroot\nrefused: owned by user 4321; chown it to yourself\nrefused: writable by others (mode 0666); chmod o-w' ]]
}

# --- what the user makes and uses -----------------------------------------------------------------

@test "pipes carry bytes, wait for them, and end on Ctrl-C" {
	expect $'hello\nlater\n130' 'echo hello > $MY_P; cat $MY_P
		{ await pipes/$NAME; echo later > $MY_P; } & cat $MY_P
		exec 7<> $MY_P; env --default-signal=INT cat $MY_P & await pipes/$NAME; kill -INT $!; wait $!; echo $?'
}

@test "a FIFO is a native one" {
	expect $'fifo\nhello' 'mkfifo $MY_P; stat -c %F $MY_P; echo hello > $MY_P & cat $MY_P'
}

@test "queues: messages and priorities, by mq_open and not listed where /dev/mqueue is not mounted" {
	expect $'now\nlater\n0\ngone' 'echo later > $MY_Q; echo now > $MY_Q:9
		for n in 1 2; do read -r line; echo $line; done < $MY_Q
		ls $MINE/queues | wc -l; rm $MY_Q; ls $MY_Q 2>/dev/null || echo gone'
}

@test "queues: listed where /dev/mqueue is mounted" {
	local MQUEUE=yes
	expect "$NAME"$'\nhello\ngone' 'echo hello > $MY_Q; ls $MINE/queues | grep -Fx $NAME
		read -r line < $MY_Q; echo $line; rm $MY_Q; ls $MY_Q /dev/mqueue/$NAME 2>/dev/null || echo gone'
}

@test "a read of a queue waits, and wakes" {
	expect later 'touch $MY_Q; { await queues/$NAME; echo later > $MY_Q; } & read -r line < $MY_Q; echo $line'
}

@test "the kernel's limit on queues is the user's" {
	expect "Too many open files" 'for n in {1..20}; do touch $MY_Q.$n; done 2>&1 | grep -om1 "Too many open files"; rm $MY_Q.* $MY_Q.{1..20} 2>/dev/null; :'
}

@test "what the user makes is the user's in the kernel, with the user's umask" {
	expect '' 'umask 027; touch $MY_Q $MY_S'
	run -0 stat -c "%u %g %a" "$NATIVE_MQ/$NAME" "/dev/shm/$NAME"
	[[ $output == $'65534 65534 640\n65534 65534 640' ]]
}

@test "shm: symbolic links to the regions of /dev/shm" {
	echo native >"/dev/shm/$NAME"
	expect "symbolic link"$'\n'"/dev/shm/$NAME"$'\nnative' 'stat -c %F $MY_S; readlink $MY_S; cat $MY_S'
}

@test "shm: created, written, resized, renamed and removed through the mount" {
	expect $'hello\nmore\n5\nhello\ngone' 'echo hello > $MY_S; echo more >> $MY_S; cat /dev/shm/$NAME
		truncate -s 5 $MY_S; stat -Lc %s $MY_S; mv $MY_S $MY_S.2; cat /dev/shm/$NAME.2; echo
		rm $MY_S.2; ls /dev/shm/$NAME* 2>/dev/null || echo gone'
}

@test "shm: maps of the mount are the same memory as native ones" {
	expect "same" 'truncate -s 4096 $MY_S; python3 -c "
import mmap, os
maps = [mmap.mmap(os.open(path, os.O_RDWR), 0) for path in (os.environ[\"MY_S\"], \"/dev/shm/\" + os.environ[\"NAME\"])]
maps[0][0:5] = b\"hello\"
print(\"same\" if maps[1][0:5] == b\"hello\" else \"stale\")"; rm $MY_S'
}

@test "ctl makes objects of every kind" {
	expect $'4096\ngone' 'printf "create %s\n" "pipes/$NAME eof=never" "queues/$NAME maxmsg=3 mode=600" "shm/$NAME size=4K" > $MINE/ctl
		ls $MY_P $MY_Q > /dev/null; stat -Lc %s $MY_S; printf "remove %s\n" {pipes,queues,shm}/$NAME > $MINE/ctl
		ls $MY_P $MY_Q $MY_S 2>/dev/null || echo gone'
}

# --- what the user may not ------------------------------------------------------------------------

@test "root's objects of mode 600 can't be read, written, emptied or removed" {
	local way
	shell 'umask 077; echo secret > $Q; echo secret > $S'
	for way in $WAYS; do
		run -0 by_user "$way" 'for file in $MY_Q $MY_S; do
			cat $file || echo refused; (echo x > $file) || echo refused
			truncate -s 0 $file || echo refused; rm -f $file || echo refused; done'
		refused 8
	done
	run -0 shell 'first $Q; cat $S'
	[[ $output == $'secret\nsecret' ]]
}

@test "root's objects of mode 666 can be used, but not removed, renamed or changed" {
	local way
	for way in $WAYS; do
		shell 'umask 0; echo hello > $Q; echo hello > $S'
		run -0 by_user "$way" 'read -r line < $MY_Q; echo $line; cat $MY_S; echo more >> $MY_S; tail -n1 $MY_S
			for file in $MY_Q $MY_S; do rm -f $file || echo refused; chmod 777 $file || echo refused; done
			mv $MY_S $MY_S.2 || echo refused'
		[[ $output == $'hello\nhello\nmore\n'* ]]
		refused 5
	done
}

@test "root's queue of mode 666 can be written, but not in a user namespace without root" {
	local way
	shell 'umask 0; touch $Q'
	for way in $WAYS; do
		run -0 by_user "$way" 'echo $(id -u) > $MY_Q || echo refused'
		# The kernel lets nobody write to a file whose owner is unknown there.
		[[ $way != namespace ]] || refused 1
		[[ $way == namespace ]] || [[ $(first "$Q") == "$OTHER" ]]
	done
}

@test "ctl gives the user no further rights" {
	local way
	shell 'umask 077; touch $Q $S'
	for way in $WAYS; do
		run -0 by_user "$way" 'for command in "remove queues/$NAME" "remove shm/$NAME" "set queues/$NAME mode=666" "set shm/$NAME mode=666"; do
			echo $command > $MINE/ctl || echo refused; done'
		refused 4
		[[ $way == namespace ]] || { # where the user is the only one there is
			run -0 by_user "$way" 'touch $MY_P; echo "set pipes/$NAME owner=0" > $MINE/ctl || echo refused'
			refused 1
		}
	done
	run -0 stat -c "%u %a" "$NATIVE_MQ/$NAME" "/dev/shm/$NAME"
	[[ $output == $'0 600\n0 600' ]]
}

# --- System V, semaphores and events --------------------------------------------------------------

# A key that no other test has.
my_key() {
	MY_KEY=$(printf '0x%08x' $((0x20000000 | ($$ & 0x3fffff) << 8 | BATS_TEST_NUMBER)))
	export MY_KEY
}

@test "System V queues: types, waiting, and removal" {
	my_key
	expect $'seven\none\nlater\ngone' 'Q=$MINE/sysv/queues/$MY_KEY; echo one > $Q; echo seven > $Q:7
		read -r line < $Q:7; echo $line; read -r line < $Q; echo $line
		{ await sysv/queues/$MY_KEY; echo later > $Q; } & read -r line < $Q; echo $line; rm $Q; ls $Q 2>/dev/null || echo gone'
}

@test "System V segments are read and written, and can't be mapped" {
	my_key
	expect $'hello\n4096 1\nENODEV\nENOSPC\n0 attached\nhello' 'M=$MINE/sysv/shm/$MY_KEY; truncate -s 4096 $M; echo hello 1<> $M
		read -r line < $M; echo $line
		python3 -c "import errno, mmap, os, sys
fd = os.open(sys.argv[1], os.O_RDWR)
status = open(sys.argv[2]).read()
print(os.fstat(fd).st_size, status[status.index(\"attached \") + 9])
try: mmap.mmap(fd, 4096)
except OSError as e: print(errno.errorcode[e.errno])
try: os.pwrite(fd, b\"x\", 4096)
except OSError as e: print(errno.errorcode[e.errno])" $M $MINE/info/sysv/shm/$MY_KEY/status
		for i in {1..100}; do # closing a file does not wait for its release
			n=$(ipcs -m | awk -v k=$MY_KEY "\$1 == k { print \$6 }"); ((n)) || break; sleep 0.05
		done; echo "$n attached"
		python3 -c "import ctypes, sys
libc = ctypes.CDLL(None); libc.shmat.restype = ctypes.c_void_p
print(ctypes.string_at(libc.shmat(libc.shmget(int(sys.argv[1], 16), 0, 0), None, 0), 6).decode())" $MY_KEY
		rm $M'
}

@test "System V sets, semaphores and events count" {
	my_key
	expect $'0 3\n1\n5' 'S=$MINE/sysv/sems/$MY_KEY; echo create sysv/sems/$MY_KEY count=2 value=1 > $MINE/ctl
		{ await sysv/sems/$MY_KEY; echo 0 1 > $S; } & (echo 0 -2 1 +2 > $S); xargs < $S; rm $S
		touch $MINE/sems/$NAME; { await sems/$NAME; echo 1 > $MINE/sems/$NAME; } & read -r unit < $MINE/sems/$NAME; echo $unit
		rm $MINE/sems/$NAME; echo 2 > $MINE/events/e; echo 3 > $MINE/events/e; read -r n < $MINE/events/e; echo $n'
}
