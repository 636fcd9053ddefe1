# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Completion for ipcfs(8). It does not need bash-completion. To have it complete the lines of ctl as well:
#   . /usr/share/bash-completion/completions/ipcfs; complete -o default -F _ipcfs echo

# The table of ipcfs.words, where the columns are explained.
mapfile -t _ipcfs_words <<'END'
@WORDS@
END

# _ipcfs_find PLACE [WORD]: the words that belong to a place, or what the value of one of them is.
_ipcfs_find() {
	local where word value

	while read -r where word value _; do
		if [[ $where == "$1" && $# == 1 ]]; then
			printf '%s\n' "$word"
		elif [[ $where == "$1" && $word == "$2" ]]; then
			printf '%s\n' "$value"
		fi
	done < <(printf '%s\n' "${_ipcfs_words[@]}")
}

_ipcfs_kinds() {
	printf '%s\n' "${_ipcfs_words[@]%% *}" | grep -vxE 'flag|option|verb|reap|any' | uniq
}

# _ipcfs_offer BEFORE WORD LIST: offers those of the list that WORD is the beginning of.
_ipcfs_offer() {
	local offers

	mapfile -t offers < <(compgen -P "$1" -W "$3" -- "$2")
	[[ ${offers[*]} == "$1$2" ]] || COMPREPLY+=("${offers[@]}")
}

# _ipcfs_value BEFORE WORD VALUE: offers what VALUE, of the table's third column, stands for.
_ipcfs_value() {
	local before=$1 word=$2

	case $3 in
	FILE)
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -P "$before" -f -- "$word")
		;;
	MOUNT) _ipcfs_offer "$before" "$word" "$(awk '$3 == "fuse.ipcfs" { print $2 }' /proc/self/mounts)" ;;
	USER) mapfile -t COMPREPLY < <(compgen -P "$before" -u -- "$word") ;;
	GROUP) mapfile -t COMPREPLY < <(compgen -P "$before" -g -- "$word") ;;
	PID) _ipcfs_offer "$before" "$word" "$(cd /proc && compgen -G '[0-9]*')" ;;
	[a-z]*:*)
		[[ $word != *:* ]] || before+=${word%:*}:
		_ipcfs_offer "$before" "${word##*:}" "${3//:/ }"
		;;
	[a-z]*) _ipcfs_offer "$before" "$word" "${3//|/ }" ;;
	esac
}

# _ipcfs_setting BEFORE WORD PLACE...: offers the words of these places, or the value of one.
_ipcfs_setting() {
	local place

	compopt -o nospace # a value comes next, or a comma
	for place in "${@:3}"; do
		if [[ $2 == *=* ]]; then
			_ipcfs_value "$1${2%%=*}=" "${2#*=}" "$(_ipcfs_find "$place" "${2%%=*}=")"
		else
			_ipcfs_offer "$1" "$2" "$(_ipcfs_find "$place")"
		fi
		[[ $2 != *=* || ${#COMPREPLY[@]} == 0 ]] || return 0
	done
}

# _ipcfs_line WORD...: completes the last word of a line for ctl.
_ipcfs_line() {
	local word=${!#}

	case $#:$1 in
	1:*) _ipcfs_offer '' "$word" "$(_ipcfs_find verb)" ;;
	2:reap) _ipcfs_offer '' "$word" "$(_ipcfs_kinds)" ;;
	2:create | 2:set | 2:empty | 2:remove)
		compopt -o nospace
		_ipcfs_offer '' "$word" "$(_ipcfs_kinds | sed 's|$|/|')"
		;;
	*:reap) _ipcfs_setting '' "$word" reap ;;
	*:create | *:set) _ipcfs_setting '' "$word" "${2%/*}" any ;;
	esac
}

# _ipcfs_command WORD...: completes the last word of a command.
_ipcfs_command() {
	local word=${!#} before='' previous=''

	(($# == 1)) || previous=${*:$#-1:1}
	if [[ $previous == -o ]]; then
		[[ $word != *,* ]] || before=${word%,*},
		_ipcfs_setting "$before" "${word##*,}" option
	elif [[ $word == -* ]]; then
		_ipcfs_offer '' "$word" "$(_ipcfs_find flag)"
	elif [[ " $* " =~ \ --(status|replace)\  ]]; then
		_ipcfs_value '' "$word" MOUNT
	else
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -d -- "$word")
	fi
}

# bash splits words at = and : as well. They are put together here, and what stands before the part
# that bash has it complete is cut off again.
_ipcfs() {
	local words=() part part_before=' '

	COMPREPLY=()
	for part in "${COMP_WORDS[@]:1:COMP_CWORD}"; do
		if [[ ${#words[@]} -gt 0 && ($part == [=:]* || $part_before == *[=:]) ]]; then
			words[-1]+=$part
		else
			words+=("$part")
		fi
		part_before=$part
	done
	[[ $part != *[=:] ]] || part=''
	if [[ $1 == ipcfs || $1 == */ipcfs ]]; then
		_ipcfs_command "${words[@]}"
	else
		_ipcfs_line "${words[@]}"
	fi
	part_before=${words[-1]%"$part"}
	COMPREPLY=("${COMPREPLY[@]#"$part_before"}")
}

complete -F _ipcfs ipcfs
