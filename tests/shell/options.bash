#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the program takes, by its own tables. What `ipcfs --help`, the manual and the completions say is
# compared with that.
# shellcheck shell=bash

FS=$HERE/../../fs

# table_words PATTERN: what fuse_opt is given in fs/options.c, without the templates behind '='.
table_words() {
	grep -oP '^\t(OPTION\(|FUSE_OPT_KEY\(|\{)"\K[^"%]+' "$FS/options.c" | grep -P -- "$1" | sort
}

# The flags of a command line, except those by which the program calls itself, and libfuse's name of -d.
program_flags() {
	(table_words '^-' && grep -oP '^\t\{"\K-[^"]+(?=", )' "$FS/mount_words.c") |
		(grep -vxE -- '--(adopts?|mounted)=|--debug' && echo -o) | sort
}

# The words that may stand after -o and mean something; values begin after '='.
program_options() {
	table_words '^[^-]'
	grep -oP '^\t\{"\K[^"]+(?=", (MS_|MOUNT_WORD_LASTING))' "$FS/mount_words.c" | grep -v ^-
}

# mount_words FATE: the words of mount(8) that are IGNORED, or REFUSED.
mount_words() {
	grep -oP '^\t\{"\K[^"]+(?=", MOUNT_WORD_('"$1"'))' "$FS/mount_words.c"
}

# The features of the kernel that without= knows.
program_features() {
	"$IPCFS" / -o without=- 2>&1 | sed -n 's/.*no such feature (\(.*\))$/\1/p' | xargs -n 1
}

# Whether the program is built with libnats.
has_cluster() {
	[[ $("$IPCFS" --version) == *"cluster: libnats "* ]]
}

# grammar [KIND]: from `cat ctl` on stdin, the kinds, or the settings of one, as KEY=VALUE.
grammar() {
	awk -v kind="${1:-}" '/^# Every kind takes/ { on = 1; next } /^# SIZE/ { on = 0 }
		on && kind == "" { print $2 }
		on && kind == $2 { for (i = 3; i <= NF; i++) print $i }'
}
