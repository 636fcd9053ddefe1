#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# ipcfs --replace: another executable goes on with a mount, and no client notices.
# shellcheck shell=bats disable=SC2016,SC2030,SC2031,SC2153,SC2154

load helper
load extra

setup() {
	ipcfs_setup
	setup_extra
	needs resend
	# The installed program: a test may put another file in its place.
	make_directory
	export PROGRAM=$D/ipcfs
	cp "$IPCFS" "$PROGRAM"
}

# supervise [OPTION...]: mounts $EXTRA in the foreground, by $PROGRAM. Its log is $OUT.
supervise() {
	IPCFS=$PROGRAM mount_ipcfs "$EXTRA" -o "supervise=yes${1:+,$1}" 2>"$OUT"
	export SUPERVISOR=${DAEMON[$EXTRA]}
	wait_until serves
}

serving() {
	ps --ppid "$SUPERVISOR" -o pid=,comm= | awk '$2 == "ipcfs" { print $1; exit }'
}

serves() {
	[[ $(serving) && $(cat "/proc/$SUPERVISOR/comm") == ipcfs-supervise ]]
}

# install FILE: as a package manager does it.
install_program() {
	cp "$1" "$PROGRAM.new"
	mv "$PROGRAM.new" "$PROGRAM"
}

# stub COMMANDS: installs a script.
stub() {
	printf '#!/bin/sh\n%s\n' "$1" >"$PROGRAM.new"
	chmod 755 "$PROGRAM.new"
	mv "$PROGRAM.new" "$PROGRAM"
}

# Whether both processes run what is installed.
is_new() {
	[[ /proc/$SUPERVISOR/exe -ef $PROGRAM && /proc/$(serving)/exe -ef $PROGRAM ]]
}

replace() {
	timeout -k 1 40 "$IPCFS" --replace "$EXTRA" 3>&-
}

# Whether the file has N lines.
has_lines() {
	[[ $(wc -l <"$1") == "$2" ]]
}

@test "a new executable goes on: files stay open, a reader waits on, messages stay" {
	local former daemon version
	version=$("$IPCFS" --version | sed -n 's/^ipcfs //p')
	supervise
	exec 7<>"$EXTRA/queues/$NAME.1"
	echo kept >"$EXTRA/queues/$NAME.1"
	: >>"$EXTRA/pipes/$NAME"
	cat "$EXTRA/pipes/$NAME" >"$OUT.pipe" 3>&- &
	local pipe=$!
	JOBS+=("$pipe")
	: >"$EXTRA/queues/$NAME.2"
	timeout 60 dd if="$EXTRA/queues/$NAME.2" bs=65536 count=1 of="$OUT.got" 2>/dev/null 3>&- &
	local reader=$!
	JOBS+=("$reader")
	daemon=$(serving)
	install_program "$IPCFS"
	[[ ! /proc/$SUPERVISOR/exe -ef $PROGRAM ]]
	run -0 replace
	[[ $output == "$EXTRA: served by ipcfs $version now" ]]
	[[ $(serving) != "$daemon" ]]
	is_new
	serves
	echo hello >"$EXTRA/queues/$NAME.2"
	wait "$reader"
	[[ $(cat "$OUT.got") == hello ]]
	[[ $(dd bs=65536 count=1 status=none <&7) == kept ]]
	echo piped >"$EXTRA/pipes/$NAME"
	wait "$pipe"
	[[ $(cat "$OUT.pipe") == piped ]]
	exec 7<&-
	wait_until contains "$OUT" "replaced: the mount is served by ipcfs $version now"
	kill -TERM "$SUPERVISOR"
	former=0
	wait "$SUPERVISOR" || former=$?
	[[ $former == 0 ]]
}

# refuses_distrusted COMMANDS: after these, others could change the executable.
refuses_distrusted() {
	eval "$1"
	run -1 --separate-stderr replace
	[[ $stderr == *": not replaced: the new executable, or a directory on the way to it, is another user's, or others can write it" ]]
}

@test "one that cannot adopt, crashes, or cannot be executed is refused, and nothing happens" {
	local daemon
	supervise
	daemon=$(serving)
	# Status 0 says nothing, nor do its own arguments.
	for answer in 'exit 1' 'exit 0' 'echo "$@"' 'echo ipcfs can go on; echo more' 'echo ipcfs can go on; exit 1'; do
		stub "$answer"
		run -1 --separate-stderr replace
		[[ $stderr == "ipcfs: $EXTRA: not replaced: the new executable cannot go on with this mount" ]]
	done
	stub 'kill -SEGV $$'
	run -1 --separate-stderr replace
	[[ $stderr == *": not replaced: the new executable crashed, or took too long, when it was asked" ]]
	chmod 644 "$PROGRAM"
	run -1 --separate-stderr replace
	[[ $stderr == *": not replaced: the new executable cannot be executed" ]]
	# It would have root's rights, so nobody else may have made it.
	install_program "$IPCFS"
	refuses_distrusted 'chown 1234 $PROGRAM'
	refuses_distrusted 'chown 0 $PROGRAM; chmod go+w $PROGRAM'
	refuses_distrusted 'chmod go-w $PROGRAM; chown 1234 $D'
	refuses_distrusted 'chown 0 $D; chmod g+w $D'
	chmod 755 "$D"
	# A link leads to where others can put a file.
	mkdir -m 777 "$D/others"
	mv "$PROGRAM" "$D/others/ipcfs"
	refuses_distrusted 'ln -s others/ipcfs $PROGRAM'
	rm "$PROGRAM"
	run -1 --separate-stderr replace
	[[ $stderr == *": not replaced: the new executable cannot be executed" ]]
	[[ $(serving) == "$daemon" ]]
	wait_until contains "$OUT" "$PROGRAM: not replaced: the new executable cannot go on with this mount"
	run -0 shell 'cat $EXTRA/README'
	# As soon as a good one is installed, it goes on. From a sticky directory nobody can take it away.
	chmod 1777 "$D"
	install_program "$IPCFS"
	run -0 replace
	is_new
}

@test "one that says yes and then cannot be executed: the former executable goes on" {
	supervise
	stub "echo ipcfs can go on; rm $PROGRAM"
	run -1 --separate-stderr replace
	[[ $stderr == *": not replaced: the new executable could not be executed; the former one goes on" ]]
	run -0 shell 'cat $EXTRA/README'
	serves
}

@test "one that is changed after it was asked is not executed" {
	supervise
	stub "echo ipcfs can go on; cp $IPCFS $PROGRAM.new; mv $PROGRAM.new $PROGRAM"
	run -1 --separate-stderr replace
	[[ $stderr == *": not replaced: the new executable was changed after it was asked; the former one goes on" ]]
	run -0 shell 'cat $EXTRA/README'
	serves
	run -0 replace
	is_new
}

@test "only root and the user who has mounted it may replace it" {
	supervise
	run -1 --separate-stderr as_user "$OTHER" timeout 20 "$IPCFS" --replace "$EXTRA"
	[[ $stderr == "ipcfs: $EXTRA: only root and the user who has mounted it may replace it" ]]
	serves
}

# The pid of the new executable that is asked, once it is sleep(1).
asked() {
	local asker
	asker=$(pgrep -P "$SUPERVISOR" -x ipcfs-supervise) && pgrep -P "$asker" -x sleep
}

@test "one that does not answer is given up, and a daemon that is killed meanwhile is followed" {
	local daemon asked
	supervise
	daemon=$(serving)
	stub 'exec sleep 60'
	replace >"$OUT.replace" 2>&1 &
	JOBS+=($!)
	wait_until asked
	asked=$(asked)
	kill -KILL "$daemon"
	run -0 shell 'cat $EXTRA/README'
	wait_until contains "$OUT.replace" "not replaced: the new executable crashed, or took too long"
	wait_until ended "$asked"
}

@test "ipcfs --adopts tells which version of the state is known" {
	local n
	for n in 1 2 3 4 5 6 7 8 9; do
		"$IPCFS" --adopts=$n "$EXTRA" && break
	done
	((n < 9))
	run -1 "$IPCFS" --adopts=99999 "$EXTRA"
	[[ -z $output ]]
}

@test "an executable that does not know an option of the mount is refused" {
	supervise "max_files=100"
	stub 'for arg; do case $arg in *max_files*) exit 1;; esac; done; echo ipcfs can go on'
	run -1 --separate-stderr replace
	[[ $stderr == *"cannot go on with this mount" ]]
}

@test "where there is no supervisor, or no ipcfs, one clear line says so" {
	run -1 --separate-stderr timeout 20 "$IPCFS" --replace "$IPC" -o supervise=no
	[[ $stderr == "ipcfs: $IPC: has no supervisor (-o supervise=yes), so it cannot be replaced" ]]
	run -1 --separate-stderr timeout 20 "$IPCFS" --replace /proc
	[[ $stderr == "ipcfs: /proc: no ipcfs is mounted here" ]]
	run -1 --separate-stderr timeout 20 "$IPCFS" --replace
	[[ $stderr == "ipcfs: the mount point is missing; see ipcfs --help" ]]
}

@test "ten times in a row, under load, no message is lost or doubled" {
	supervise
	python3 - "$EXTRA/pipes/$NAME" "$EXTRA/queues/$NAME" >"$OUT.load" 2>&1 3>&- <<'EOF' &
import os, sys, threading
N = 3000
def write(path, first):
    fd = os.open(path, os.O_WRONLY)
    for i in range(N):
        os.write(fd, b"%d:%d\n" % (first, i))
def read(path, n, got):
    fd = os.open(path, os.O_RDONLY)
    while len(got) < n:
        got += os.read(fd, 65536).split()
for path in sys.argv[1:]:
    os.close(os.open(path, os.O_RDWR | os.O_CREAT))
    got = []
    threads = [threading.Thread(target=read, args=(path, 2 * N, got))]
    threads += [threading.Thread(target=write, args=(path, k)) for k in range(2)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    for k in range(2):
        mine = [g for g in got if g.startswith(b"%d:" % k)]
        assert mine == [b"%d:%d" % (k, i) for i in range(N)], mine
print("good")
EOF
	local load=$!
	JOBS+=("$load")
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		install_program "$IPCFS"
		run -0 replace
		is_new
	done
	wait "$load" || { cat "$OUT.load"; false; }
	[[ $(cat "$OUT.load") == good ]]
	# The command line does not grow.
	(($(tr -d -c '\0' <"/proc/$SUPERVISOR/cmdline" | wc -c) < 16))
}

@test "SIGHUP replaces if another executable is installed, and reads the configuration again" {
	local daemon
	cd "$BATS_TEST_TMPDIR"
	echo "create queues/$NAME.1" >conf
	supervise config=conf # a relative path
	daemon=$(serving)
	echo "create queues/$NAME.2" >>conf
	kill -HUP "$SUPERVISOR"
	wait_until test -e "$EXTRA/queues/$NAME.2"
	[[ $(serving) == "$daemon" ]]
	for n in 3 4; do
		install_program "$IPCFS"
		echo "create queues/$NAME.$n" >>conf
		kill -HUP "$SUPERVISOR"
		wait_until test -e "$EXTRA/queues/$NAME.$n"
		is_new
	done
	stub 'exit 1'
	echo "create queues/$NAME.5" >>conf
	kill -HUP "$SUPERVISOR"
	wait_until test -e "$EXTRA/queues/$NAME.5"
	serves
}

@test "in the background too; and a mount that ends meanwhile ends" {
	IPCFS=$PROGRAM start_ipcfs "$EXTRA" -o supervise=yes
	export SUPERVISOR=${DAEMON[$EXTRA]}
	install_program "$IPCFS"
	run -0 replace
	is_new
	stub 'sleep 1; echo ipcfs can go on'
	kill -USR2 "$SUPERVISOR"
	kill -TERM "$SUPERVISOR"
	wait_until ended "$SUPERVISOR"
	run ! is_mounted "$EXTRA"
}
