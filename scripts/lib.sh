# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Shared by the scripts here: the path of the tree, messages and builds.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)

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
