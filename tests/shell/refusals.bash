# SPDX-License-Identifier: GPL-2.0-or-later
# What ctl says about a line that it refuses, and the program about a command line.
# shellcheck shell=bash disable=SC2016,SC2154

# refused 'LINE' 'TEXT': root's LINE fails, and ctl then says TEXT.
refused() {
	run -1 shell 'echo "$1" > $IPC/ctl' "$1"
	run -0 last_error
	[[ $output == "line 1: $2" ]] || {
		echo "of '$1' ctl says '$output', not '$2'"
		return 1
	}
}

last_error() {
	sed '0,/^# Your last error:/d' "$IPC/ctl"
}

# The program failed with one line on stderr, and printed nothing else. The line is $1, or has it in it
# if $1 does not begin as a line does.
one_clear_line() {
	local line=${stderr_lines[0]:-}

	[[ $1 == "ipcfs: "* || $line != *"$1"* ]] || line=$1
	[[ $status != 0 && -z $output && ${#stderr_lines[@]} == 1 && $line == "$1" ]] || {
		echo "status $status, stdout: $output, stderr: $stderr"
		return 1
	}
}
