# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Shared by the scripts here: the path of the tree and its files, messages and builds.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
# The first libfuse with passthrough. scripts/setup unpacks one where the system's is older.
# shellcheck disable=SC2034 # used by those who read this file
fuse_min=3.17

step() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
}

die() {
	step "$@"
	exit 1
}

# Runs a command, and shows its output only if it fails.
quiet() {
	local output status=0

	output=$("$@" 2>&1 </dev/null) || status=$?
	[[ $status == 0 ]] || printf '%s\n' "$output" >&2
	return "$status"
}

# Prints the project's files that git knows or would add, each ended by a NUL. Without git: all
# files except those that are built or fetched.
files() (
	cd "$top" || return
	if git -c safe.directory='*' rev-parse 2>/dev/null; then
		git -c safe.directory='*' ls-files -co --exclude-standard --deduplicate -z
	else
		find . \( -path './build*' -o -path './subprojects/*/*' \) -prune -o -type f -printf '%P\0'
	fi
)

# configure DIR [MESON-OPTION...]: does nothing if DIR was last configured with these options.
configure() {
	local dir=$1 mode=()
	shift

	[[ ! -f $dir/build.ninja ]] || mode=(--reconfigure)
	if [[ ${#mode[@]} == 0 || ($# != 0 && $(cat "$dir/.options" 2>/dev/null) != "$*") ]]; then
		step "configuring ${dir#"$top"/}"
		quiet meson setup "${mode[@]}" "$@" "$dir" "$top" || die "meson setup failed in $dir"
		echo "$*" >"$dir/.options"
	fi
}

# build DIR [MESON-OPTION...]: configures DIR, and builds there.
build() {
	configure "$@"
	step "building ${1#"$top"/}"
	quiet ninja --quiet -C "$1" || die "the build failed in $1"
}
