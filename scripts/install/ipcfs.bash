# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Completion for ipcfs(8). It needs nothing but bash.

_ipcfs_options='cluster= cluster_ca= cluster_creds= cluster_timeout= config= config_strict exec allow_exec foreign=
	ipcns= leak_idle= max_channels= max_files= max_held= max_names= pipe_capacity= pipe_eof= pipe_served= spin=
	supervise= without= allow_other auto_unmount remount ro rw noatime'

# Completes the last word of a list of mount options.
_ipcfs_mount_options() {
	local done=''

	[[ $1 != *,* ]] || done=${1%,*},
	mapfile -t COMPREPLY < <(compgen -P "$done" -W "$_ipcfs_options" -- "${1##*,}")
	compopt -o nospace # a comma or a value comes next
}

# bash splits `config=/etc/x` into three words.
_ipcfs() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} key=''

	COMPREPLY=()
	if [[ $cur == '=' ]]; then
		key=$prev cur=''
	elif [[ $prev == '=' ]]; then
		key=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	if [[ ${key##*,} =~ ^(config|cluster_ca|cluster_creds)$ ]]; then
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
	elif [[ -n $key ]]; then
		return
	elif [[ $prev == -o ]]; then
		_ipcfs_mount_options "$cur"
	elif [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W '-f -d -h -V -s -o --help --replace --status --version' -- "$cur")
	else
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -d -- "$cur")
	fi
}

complete -F _ipcfs ipcfs
