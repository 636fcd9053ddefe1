#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Names in ctl that need quotes or escapes, and what ctl says about an object that exists.
# shellcheck shell=bats disable=SC2016

load helper
load refusals

@test "a name with blanks, quotes or other bytes is quoted as in a shell or escaped as in fstab" {
	run -0 shell 'cd $IPC/pipes
		echo "create \"pipes/$NAME a b\" mode=0600" > ../ctl; stat -c "%n %a" "$NAME a b"
		echo "set '"'pipes/\$NAME a b'"' mode=0640" > ../ctl; stat -c "%n %a" "$NAME a b"
		printf "%s\n" "set pipes/$NAME\040a\040b mode=0644" > ../ctl; stat -c "%n %a" "$NAME a b"
		printf "%s\n" "remove pipes/$NAME\ a\x20b" > ../ctl; ls | wc -l'
	[[ $output == "$NAME a b 600"$'\n'"$NAME a b 640"$'\n'"$NAME a b 644"$'\n0' ]]
	refused "create 'pipes/$NAME" "unterminated quote"
}

@test "a name that is not printable is accepted as info/ shows it" {
	: >"$P"$'.\1\nx'
	run -0 shell 'cat $IPC/info/pipes/$NAME*/status | sed -n "s/^name //p"'
	[[ $output == "$NAME.\\x01\\x0ax" ]]
	printf '%s\n' "remove pipes/$output" >"$IPC/ctl"
	[[ ! -e "$P"$'.\1\nx' ]]
}

@test "create of an existing object says how it differs" {
	shell 'echo "create queues/$NAME maxmsg=3 msgsize=100" > $IPC/ctl'
	refused "create queues/$NAME maxmsg=5 msgsize=100" "create queues/$NAME: already exists with maxmsg=3, not maxmsg=5"
}
