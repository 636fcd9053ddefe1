# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The Open POSIX Test Suite (testcases/open_posix_testsuite of LTP): message queues, semaphores,
# shared memory and mappings. A test is one program, whose exit status says how it ended.

posix_interfaces='mq_* sem_* shm_* mmap munmap msync'

posix_places() {
	echo beside shm
}

posix_has() { # SOURCE
	[[ -d $1/conformance/interfaces ]]
}

# Only the programs are wanted. All of them are linked with the same parts.
posix_build() {
	# shellcheck disable=SC2016 # for sh
	posix_sources | xargs -P "$JOBS" -I{} sh -c '
		cc -std=gnu99 -w -D_GNU_SOURCE -Iinclude -o "${1%.c}" "$1" lib/*.c -lpthread -lrt -lm || :' sh {}
}

posix_sources() {
	cd "$SCRATCH/posix" || return
	# shellcheck disable=SC2086 # patterns
	(cd conformance/interfaces && printf 'conformance/interfaces/%s\n' $posix_interfaces) |
		xargs sh -c 'find "$@" functional/mqueues functional/semaphores -maxdepth 1 -name "*.c" || :' sh 2>/dev/null |
		sort -u
}

# Lists the tests that could be built: some sources are only parts.
posix_tests() {
	local source

	posix_sources | while read -r source; do
		[[ ! -x $SCRATCH/posix/${source%.c} ]] || echo "${source%.c}"
	done
}

posix_run() { # TEST
	TMPDIR=$WORK "$SCRATCH/posix/$1"
}

posix_read() {
	grep '^suites:' | sed '
		s/status 1$/FAILED/
		s/status 2$/UNRESOLVED/
		s/status 4$/UNSUPPORTED/
		s/status 5$/UNTESTED/' || :
}
