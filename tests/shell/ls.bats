#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What ls -l, stat, du and find show, as WHAT LS SHOWS in ipcfs(5) has it, and what other programs
# conclude from that.
# shellcheck shell=bash disable=SC2016,SC2153,SC2154

load helper

KEY=0x00015150

setup() {
	ipcfs_setup
	make_directory
	shell 'cd $IPC; mkfifo pipes/plain; echo create pipes/served served=daemon > ctl; touch $Q $S events/e
		echo create topics/t keep=500K > ctl
		echo create sems/$NAME > ctl; touch sysv/queues/'$KEY'; truncate -s 10000 sysv/shm/'$KEY'
		echo create sysv/sems/'$KEY' > ctl; echo create sockets/servers/s listen=abstract:$NAME > ctl'
	STREAMS=(pipes/served topics/t "queues/$NAME" events/e "sems/$NAME" "sysv/queues/$KEY" "sysv/sems/$KEY")
	cd "$IPC" || return
}

teardown() {
	cd /
	[[ -z ${IPC:-} ]] || rm -f "$IPC"/sysv/*/$KEY
	ipcfs_teardown
}

is() { # EXPECTED FORMAT FILE
	[[ $(stat -Lc "$2" "$3") == "$1" ]] || {
		echo "$3: $(stat -Lc "$2" "$3"), not $1"
		return 1
	}
}

# --- sizes and blocks -----------------------------------------------------------------------------

@test "what the daemon serves has 4096 bytes, and takes a page" {
	local file
	for file in "${STREAMS[@]}" sockets/servers/s/accept sockets/servers/s/connect; do
		is "4096 8 regular file" "%s %b %F" "$file"
	done
	is "0 0 fifo" "%s %b %F" pipes/plain
	[[ $(find pipes/served queues events sems/"$NAME" -type f -empty) == "" ]]
}

@test "regions and segments have their own size, and a region the blocks that it takes" {
	truncate -s 1M "$S"
	echo data | dd of="$S" conv=notrunc status=none
	is "1048576 8" "%s %b" "$S"
	is "10000 20" "%s %b" "sysv/shm/$KEY"
}

@test "a process looks like the files of the daemon" {
	background sleep 100
	is "4096 8 666 regular file" "%s %b %a %F" "signals/$JOB"
}

@test "texts have their size: README, address, a status" {
	local file
	for file in README sockets/servers/s/address "info/queues/$NAME/status"; do
		is "$(wc -c <"$file")" "%s" "$file"
	done
}

@test "du and ls -s show what waits in pages, and cp and wc read it all the same" {
	head -c 100000 /dev/zero >pipes/served
	head -c 300000 /dev/zero >topics/t
	head -c 6000 /dev/zero >"sysv/queues/$KEY"
	is 200 %b pipes/served
	is 16 %b "sysv/queues/$KEY"
	[[ $(stat -c %b topics/t) -ge 592 ]]
	[[ $(ls -s pipes/served) == "100 pipes/served" && $(du -k pipes/served) == "100"$'\t'"pipes/served" ]]
	is 4096 %s pipes/served
	[[ $(shell 'cp pipes/served "$D/copy"; wc -c < "$D/copy"') == 100000 ]]
	is 8 %b pipes/served
	truncate -s 0 topics/t "sysv/queues/$KEY"
	is 8 %b topics/t
	is 8 %b "sysv/queues/$KEY"
}

# --- times ----------------------------------------------------------------------------------------

old() { # FILE: whether find(1) calls it idle since before the mark
	[[ -n $(find "$1" ! -newer "$D/mark") ]]
}

@test "find ! -newer finds what nobody has written to" {
	local file
	touch "$D/mark"
	wait_until eval 'touch "$D/now"; [[ $(stat -c %Y "$D/now") -gt $(stat -c %Y "$D/mark") ]]' # whole seconds count
	for file in pipes/served topics/t "queues/$NAME" events/e "sysv/queues/$KEY" "sysv/sems/$KEY" "shm/$NAME"; do
		[[ $file == sysv/sems/* ]] || old "$file"
		if [[ $file == sysv/sems/* ]]; then echo 0 1 >"$file"; else echo 1 >"$file"; fi
		run ! old "$file"
	done
	old "sems/$NAME" # the kernel does not note its uses
}

@test "a read changes atime, a chmod ctime alone" {
	local before file
	for file in pipes/served topics/t events/e; do
		[[ $file == topics/t ]] || echo 1 >"$file"
		before=$(stat -c "%y %z" "$file")
		[[ $file == topics/t ]] || shell "read -r _ < $file"
		is "$before" "%y %z" "$file"
		[[ $file == topics/t || $(stat -c %x "$file") > "$(stat -c %y "$file")" ]]
		before=$(stat -c "%x %y" "$file")
		chmod 640 "$file"
		is "$before" "%x %y" "$file"
		[[ $(stat -c %z "$file") > "$(stat -c %y "$file")" ]]
	done
}

@test "what a server has is as old as the server" {
	local file
	for file in accept connect address; do
		is "$(stat -c %y sockets/servers/s)" %y "sockets/servers/s/$file"
	done
}

@test "a text is new each time, and an open one as old as its content" {
	local made
	touch "$D/mark"
	run ! old info/summary
	run ! old ctl
	run ! old "info/queues/$NAME/status"
	exec 7<info/summary
	made=$(stat -Lc %y /dev/fd/7)
	[[ $made < "$(stat -c %y info/summary)" ]]
	is "$made" %y /dev/fd/7
	exec 7<&-
	touch "$D/mark"
	old README
}

@test "rsync -a takes a table again that has changed at the same size" {
	command -v rsync >/dev/null || skip "no rsync"
	shell 'rsync -a info/summary "$D/copy"; rsync -a info/summary "$D/copy"' # the size is known now
	chmod 640 "queues/$NAME"
	wait_until eval 'touch "$D/now"; [[ $(stat -c %Y "$D/now") -gt $(stat -c %Y "$D/copy") ]]' # as rsync counts
	shell 'rsync -a info/summary "$D/copy"; cat info/summary | cmp - "$D/copy"'
}

@test "tar finds no text changed while it reads it" {
	shell 'cat info/*/*/peers > /dev/null' # some are empty
	run -0 shell 'tar -cf "$D/tar" README ctl info'
	[[ -z $output ]]
}

# --- directories ----------------------------------------------------------------------------------

@test "directories have no size; their links do not deny the directories in them" {
	local directory
	for directory in . sysv sockets sockets/servers sockets/unix sockets/tcp info info/queues; do
		is "0 0 1" "%s %b %h" "$directory"
	done
	for directory in pipes queues sysv/shm sockets/servers/s "info/queues/$NAME"; do
		is "0 0 2" "%s %b %h" "$directory"
	done
}

@test "a Perl program that goes by the links of directories finds all files" {
	run -0 shell 'perl -MFile::Find -e "\$File::Find::dont_use_nlink = 0;
		find(sub { print \"\$File::Find::name\\n\" if -f }, qw(info sysv))" | sort'
	[[ $output == "$(find info sysv -type f | sort)" ]]
}
