#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# scripts/lint finds what it is there for: each fault is planted in a copy of the tree.
# shellcheck shell=bats

bats_require_minimum_version 1.5.0

# A copy of the tree that git knows.
setup() {
	local top
	top=$(cd "$BATS_TEST_DIRNAME/../.." && pwd -P)
	COPY=$BATS_TEST_TMPDIR/copy
	mkdir "$COPY"
	cd "$top" || return
	list_files | tar -c --null -T - | tar -x -C "$COPY"
	cd "$COPY" || return
	git init -q .
	git add -A
}

list_files() {
	if [[ -e .git ]]; then
		git -c safe.directory='*' ls-files -co --exclude-standard --deduplicate -z
	else
		find . \( -path './build*' -o -path './subprojects/*/*' \) -prune -o -type f -print0
	fi
}

# plant FILE LINE: appends the line to that file, which may be new.
plant() {
	echo "$2" >>"$1"
}

# fails CHECK TEXT...: the check fails, and prints each TEXT.
fails() {
	local check=$1 text
	shift

	run -1 scripts/lint "$check"
	echo "$output"
	[[ ${lines[0]} == "not ok ${check//_/ }" && ${lines[-1]} == "0 passed, 1 failed" ]]
	for text; do
		[[ $output == *"$text"* ]]
	done
}

@test "a clean copy passes, with git and without" {
	run -0 scripts/lint arrows lib_knows_no_fuse lib_prints_nothing externs tags shadows kinds_are_alone
	[[ ${lines[-1]} == "7 passed, 0 failed" ]]
	rm -r .git
	run -0 scripts/lint arrows externs shadows kinds_are_alone
	[[ ${lines[-1]} == "4 passed, 0 failed" ]]
}

@test "an unknown check is refused" {
	run -2 scripts/lint arrows no_such_check
	[[ $output == *usage:*kinds_are_alone* && $output != *"ok arrows"* ]]
}

# --- files ----------------------------------------------------------------------------------------

@test "a check that finds no file fails" {
	rm -r lib
	git add -A
	fails lib_prints_nothing "no file matches"
	fails lib_knows_no_fuse "no file matches"
	rm -r fs
	git add -A
	fails arrows "no file matches"
	fails externs "no file matches"
	fails kinds_are_alone "no file matches"
}

@test "a file that git knows but that has gone fails a check" {
	rm lib/base/escape.c
	fails arrows "lib/base/escape.c: known to git"
	fails lib_prints_nothing "lib/base/escape.c: known to git"
}

@test "a file that git does not know yet is checked" {
	plant lib/base/fresh.c '#include "lib/tree/root.h"'
	fails arrows "lib/base/fresh.c:1: lib/tree/root.h: lib/base is not above lib/tree"
}

@test "a front page that is long or wide fails" {
	run -0 scripts/lint front_page
	plant README.md "$(seq 120)"
	fails front_page "README.md: " "lines, more than 120"
	git checkout -q README.md 2>/dev/null || git show :README.md >README.md
	sed -i "\$ s/.*/$(printf '→%.0s' {1..100})/" README.md
	run -0 scripts/lint front_page
	sed -i "\$ s/.*/$(printf '→%.0s' {1..101})/" README.md
	fails front_page "README.md:"
}

@test "a version without an entry in the changelog fails" {
	run -0 scripts/lint changelog
	sed -i "s/^  version: .*/  version: '999.0.0',/" meson.build
	fails changelog "CHANGELOG.md: " "has version '999.0.0'"
	sed -i 's/^## .*/## 999.0.0/' CHANGELOG.md # without a date
	fails changelog "CHANGELOG.md: "
}

@test "a source that does not say what it is fails" {
	run -0 scripts/lint heads
	plant lib/base/fresh.c '// SPDX-License-Identifier: GPL-2.0-or-later'
	plant lib/base/fresh.c '#include "lib/base/fresh.h"'
	fails heads "lib/base/fresh.c: no comment in line 2"
}

# --- arrows ---------------------------------------------------------------------------------------

@test "an include of a higher layer fails" {
	plant lib/base/escape.c '#include "lib/host/host.h"'
	plant lib/host/user.h '#  include "lib/channel/channel.h"'
	plant lib/channel/text.c '#include "lib/kinds/kinds.h"'
	plant lib/tree/root.c '#include "fs/log.h"'
	fails arrows "lib/base/escape.c:" "lib/host/host.h: lib/base is not above lib/host" \
		"lib/host/user.h:" "lib/channel/text.c:" "lib/tree/root.c:"
	[[ ${#lines[@]} == 6 ]]
}

@test "kinds and info must not include each other" {
	plant lib/kinds/event.c '#include "lib/info/info.h"'
	plant lib/info/info.c '#include "lib/kinds/kinds.h"'
	fails arrows "lib/kinds/event.c:" "lib/info/info.c:"
	[[ ${#lines[@]} == 4 ]]
}

@test "a family of kinds must not include another, and nothing else may include a family" {
	plant lib/kinds/posix/queue.c '#include "lib/kinds/pipe/store.h"'
	plant lib/kinds/event.c '#include "lib/kinds/sysv/sysv.h"'
	plant lib/kinds/kinds.c '#include "lib/kinds/socket/dial.h"'
	plant fs/ops.c '#include "lib/kinds/socket/server.h"'
	fails arrows "lib/kinds/posix/queue.c:" "lib/kinds/event.c:" "lib/kinds/kinds.c:" "fs/ops.c:"
	[[ ${#lines[@]} == 6 ]]
}

@test "an include that is not written from the root fails, and so does a directory without a layer" {
	plant lib/kinds/pipe/pipe.c '#include "store.h"'
	fails arrows "lib/kinds/pipe/pipe.c:" "no such directory"
	mkdir lib/attic
	plant lib/attic/box.c '// SPDX-License-Identifier: GPL-2.0-or-later'
	fails arrows "lib/attic/box.c: scripts/lint knows no layer"
}

@test "FUSE in lib/ fails" {
	plant lib/host/host.c '#include <linux/fuse.h>'
	plant lib/tree/root.h '#include <fuse_lowlevel.h>'
	fails lib_knows_no_fuse "lib/host/host.c:" "lib/tree/root.h:"
}

# --- names ----------------------------------------------------------------------------------------

@test "a header named like one of the system's fails" {
	plant lib/kinds/posix/mqueue.h '/* SPDX-License-Identifier: GPL-2.0-or-later */'
	fails shadows "lib/kinds/posix/mqueue.h: shadows the system's"
	[[ ${#lines[@]} == 3 ]]
}

@test "a declaration of what another file defines fails outside headers" {
	plant lib/kinds/sysv/sysv.c 'extern int loop_count;'
	plant fs/log.c '	extern const struct kind *const kinds[];'
	fails externs "lib/kinds/sysv/sysv.c:" "fs/log.c:"
}

@test "a struct that two files define fails" {
	plant lib/base/escape.c 'struct twin { int a; };'
	plant fs/spin.c 'struct twin { int b; };'
	fails tags "lib/base/escape.c:" "fs/spin.c:"
	[[ ${#lines[@]} == 4 ]]
}

@test "a kind that other files name fails" {
	plant fs/ops.c 'const void *the_pipe = &pipe_kind;'
	plant lib/kinds/posix/queue.c 'const void *its_pipe = &pipe_kind;'
	fails kinds_are_alone "fs/ops.c: must not name pipe_kind" "lib/kinds/posix/queue.c: must not name pipe_kind"
	[[ ${#lines[@]} == 4 ]]
}

@test "a kind of the list fails if it is defined nowhere, elsewhere or twice" {
	sed -i 's/^\t&event_kind,/&\n\t\&absent_kind,/' lib/kinds/kinds.c
	plant lib/kinds/posix/shm.c 'const struct kind event_kind = {0};'
	fails kinds_are_alone "absent: defined in no file" \
		"event: defined in lib/kinds/event.c lib/kinds/posix/shm.c"
	[[ ${#lines[@]} == 4 ]]
}

@test "printing in lib/ fails" {
	plant lib/info/peers.c 'static void tell(void) { printf("here\n"); }'
	fails lib_prints_nothing "lib/info/peers.c:"
}
