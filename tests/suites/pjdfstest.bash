# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# pjdfstest: checks what POSIX says of calls that take names, one assertion at a time.

pjdfstest_places() {
	echo shm pipes served queues
}

pjdfstest_has() { # SOURCE
	[[ -d $1/tests && -f $1/tests/misc.sh ]]
}

pjdfstest_build() {
	[[ ! -x pjdfstest ]] || return 0
	autoreconf -ifs && ./configure && make -j "$JOBS"
}

# The tests that sleep longest come first.
pjdfstest_tests() {
	cd "$SCRATCH/pjdfstest/tests" || return
	{ grep -Hc 'sleep\|for type' -- */*.t || :; } | sort -t: -k2,2nr | cut -d: -f1
}

pjdfstest_run() { # TEST
	if [[ -n $REFUSED ]]; then
		export LD_PRELOAD=$LIBRARY SUITES_REFUSE=$REFUSED
	fi
	sh "$SCRATCH/pjdfstest/tests/$1"
}

# Replaces names, times and inode numbers, which differ from run to run.
pjdfstest_read() {
	grep -E '^(not ok|suites:)' | grep -v '# TODO' | sed -E '
		s/pjdfstest_[0-9a-f]{32}/NAME/g
		s/[0-9a-f]{60,}x?(\/[0-9a-f]+x?)*/LONG/g
		/inode/ s/,[0-9]+,/,INODE,/g
		s/[0-9]{9,}/TIME/g
		s/^not ok [0-9]+( - )?//
		s/^$/a check of times or names/'
}
