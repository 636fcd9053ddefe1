#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What bash, zsh and fish offer when a user types Tab is what the program takes: its flags and mount
# options, the features of the kernel, and the commands, kinds and keys of ctl.
# shellcheck shell=bats disable=SC2016

load helper
load options

BUILT=$(dirname "$IPCFS")/../scripts/install

by_bash() { # LINE
	local line words

	line=${1//=/ = }
	read -ra words <<<"${line//:/ : }"
	[[ $1 != *' ' ]] || words+=('')
	bash -c '. "$0"; compopt() { :; }
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
		_ipcfs "$1"; printf "%s\n" "${COMPREPLY[@]}"' "$BUILT/ipcfs.bash" "${words[@]}"
}

by_zsh() { # LINE
	local offers=$BATS_TEST_TMPDIR/offers

	mkdir -p "$BATS_TEST_TMPDIR/functions"
	cp "$BUILT/ipcfs.zsh" "$BATS_TEST_TMPDIR/functions/_ipcfs"
	rm -f "$offers" "$offers.done"
	timeout -k 1 20 zsh -f "$HERE/completion.zsh" "$BATS_TEST_TMPDIR/functions" "$1" "$offers" >/dev/null 3>&-
	cat "$offers"
}

by_fish() { # LINE
	HOME=$BATS_TEST_TMPDIR timeout -k 1 20 fish -c 'source $argv[1]; complete -c echo -x -a "(__ipcfs_line)"
		complete -C $argv[2]' "$BUILT/ipcfs.fish" "$1" 3>&- | cut -f 1
}

# offers SHELL LINE: what the shell offers for the last word, or for the part behind the last comma,
# colon or =, in order.
offers() {
	"by_$1" "$2" | sed 's/[=/]$//; s/.*[,:=]//' | grep . | sort -u
}

# each_offers LINE EXPECTED: all three offer exactly these words.
each_offers() {
	local shell bad=0

	for shell in bash zsh fish; do
		diff <(tr ' ' '\n' <<<"$2" | sed 's/=$//' | sort -u) <(offers "$shell" "$1") || {
			echo "$shell: $1"
			bad=1
		}
	done
	return "$bad"
}

@test "the flags and mount options that the program takes are offered, and no others" {
	[[ $(program_flags | wc -l) -ge 9 && $(program_options | wc -l) -ge 35 ]]
	each_offers 'ipcfs -' "$(program_flags)"
	each_offers 'ipcfs /mnt -o ' "$(program_options)"
	each_offers 'ipcfs /mnt -o ro,con' 'config= config_strict context='
}

@test "values of mount options: the program's own words, and files" {
	[[ $(program_features | wc -l) -ge 10 ]]
	each_offers 'ipcfs /mnt -o ro,without=' "$(program_features)"
	each_offers 'ipcfs /mnt -o without=resend:p' "$(program_features | grep ^p)"
	each_offers 'ipcfs /mnt -o foreign=' 'net ipc pid'
	each_offers 'ipcfs /mnt -o supervise=' 'yes no'
	touch "$BATS_TEST_TMPDIR/f.conf"
	[[ $(offers bash "ipcfs /mnt -o ro,config=$BATS_TEST_TMPDIR/f.c") == *f.conf ]]
	[[ $(offers zsh "ipcfs /mnt -o ro,config=$BATS_TEST_TMPDIR/f.c") == *f.conf ]]
	[[ $(offers fish "ipcfs /mnt -o ro,config=$BATS_TEST_TMPDIR/f.c") == *f.conf ]]
}

@test "mount points: directories, and where an ipcfs is for --status and --replace" {
	each_offers 'ipcfs --status /' "$IPC"
	each_offers "ipcfs --replace ${IPC%?}" "$IPC"
	[[ $(offers bash 'ipcfs /proc/sys/fs/mq') == */mqueue ]]
	[[ $(offers zsh 'ipcfs /proc/sys/fs/mq') == mqueue ]]
	[[ $(offers fish 'ipcfs /proc/sys/fs/mq') == */mqueue ]]
}

@test "ctl: the commands, kinds, keys and values of its grammar" {
	local kind setting kinds common='mode= owner= group='

	has_cluster || skip "without libnats"
	remount cluster=nats://127.0.0.1:1
	kinds=$(grammar <"$IPC/ctl")
	[[ $(wc -w <<<"$kinds") -ge 13 ]]
	each_offers 'echo ' "$(grep -oP '^#   \K[a-z]+(?= +KIND)' "$IPC/ctl")"
	each_offers 'echo create ' "$kinds"
	each_offers 'echo reap sysv/' "$(grep ^sysv/ <<<"$kinds")"
	each_offers 'echo reap shm ' "$(grep -oP '^#   reap .*' "$IPC/ctl" | grep -oP '\[\K[a-z]+=')"
	each_offers 'echo set events/x ' "value= $common"
	each_offers 'echo set events/x mode=' 'normal semaphore'
	each_offers 'echo create pipes/x owner=roo' root
	for kind in $kinds; do
		diff <(offers bash "echo create $kind/x ") <(grammar "$kind" <"$IPC/ctl" | sed 's/=.*//' | sort -u - <(xargs -n 1 <<<"${common//=/}"))
		for setting in $(grammar "$kind" <"$IPC/ctl" | grep '=[a-z]'); do
			diff <(offers bash "echo create $kind/x ${setting%%=*}=") <(tr '|' '\n' <<<"${setting#*=}" | sort)
		done
	done
}
