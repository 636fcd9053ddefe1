#compdef ipcfs
# SPDX-License-Identifier: GPL-2.0-or-later
# Completion for ipcfs(8). To have it complete the lines of ctl as well: compdef _ipcfs echo

# The table of ipcfs.words, where the columns are explained.
local -a table=("${(f)$(cat <<'END'
@WORDS@
END
)}")

# _ipcfs_specs PLACE...: puts what _arguments and _values take for the words of these places into $reply.
_ipcfs_specs() {
	local line where word value text spec
	local -A specs

	for line in $table; do
		read -r where word value text <<<$line
		(($argv[(Ie)$where])) && [[ -z $specs[$word] ]] || continue
		spec="${word%=}[$text]"
		case $value in
		-) ;;
		OPTIONS) spec="*$spec:mount options:_ipcfs_options" ;;
		MOUNT) spec+=':mount point:_ipcfs_mounts' ;;
		FILE) spec+=':file:_files' ;;
		USER) spec+=':user:_users' ;;
		GROUP) spec+=':group:_groups' ;;
		PID) spec+=':process:_pids' ;;
		[a-z]*:*) spec+=":names:_sequence -s \\: compadd - ${value//:/ }" ;;
		[a-z]*) spec+=":value:(${value//|/ })" ;;
		*) spec+=":$value: " ;;
		esac
		specs[$word]=$spec
	done
	reply=("${(v)specs[@]}")
}

_ipcfs_options() {
	local -a reply

	_ipcfs_specs option
	_values -s , 'mount option' $reply
}

_ipcfs_mounts() {
	local -a mounts=("${(f)$(awk '$3 == "fuse.ipcfs" { print $2 }' /proc/self/mounts)}")
	local expl

	_wanted mounts expl 'mount point' compadd -a mounts
}

# _ipcfs_kinds SUFFIX
_ipcfs_kinds() {
	local -a kinds=(${(u)table%% *})
	local expl

	kinds=(${kinds:#(flag|option|verb|reap|any)})
	_wanted kinds expl kind compadd -S "$1" -a kinds
}

# A line for ctl, as the arguments of any command.
_ipcfs_line() {
	local -a reply

	case $((CURRENT - 1)):$words[2] in
	1:*)
		_ipcfs_specs verb
		reply=(${${reply%%\]*}/\[/:})
		_describe 'command of ctl' reply
		;;
	2:reap) _ipcfs_kinds ' ' ;;
	2:(create|set|empty|remove)) _ipcfs_kinds / ;;
	*:reap)
		_ipcfs_specs reap
		_values setting $reply
		;;
	*:(create|set))
		_ipcfs_specs ${words[3]%/*} any
		_values setting $reply
		;;
	*) false ;;
	esac || _default
}

_ipcfs_command() {
	local -a reply

	_ipcfs_specs flag
	_arguments $reply '*:mount point:_directories'
}

if [[ $service == ipcfs ]]; then
	_ipcfs_command
else
	_ipcfs_line
fi
