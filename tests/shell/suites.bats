#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# scripts/suites tells listed differences from others, and from what can't be tested. It runs a
# suite of two tests in the shape of pjdfstest.
# shellcheck shell=bats disable=SC2016

bats_require_minimum_version 1.5.0

setup() {
	[[ $(id -u) == 0 ]] || skip "only root can mount here"
	SUITES=$BATS_TEST_DIRNAME/../../scripts/suites
	cd "$BATS_TEST_TMPDIR" || return
	mkdir -p suite/tests/make
	install -m 755 /dev/null suite/pjdfstest # as if it were built
	touch suite/tests/misc.sh
	cat >suite/tests/make/00.t <<-'END'
		name=pjdfstest_00000000000000000000000000000000
		touch $name
		size=$(stat -c %s $name)
		case $size in
		4096) echo "not ok 1 - tried 'stat $name size', expected 0, got $size" ;;
		*) echo 'ok 1' ;;
		esac
	END
	cat >suite/tests/make/01.t <<-'END'
		mkdir d || echo "not ok 1 - tried 'mkdir d 0755', expected 0, got EPERM"
	END
	list
}

# list LINE...: makes these the table
list() {
	{
		echo 'suites are not read here'
		printf '%s\n' '```suites' "$@" '```'
	} >differences.md
}

suites() {
	"$SUITES" --pjdfstest suite --scratch scratch --differences differences.md "$@" 3>&-
}

DIFFERENCE="pjdfstest served make/00.t: tried 'stat NAME size', expected 0, got 4096"

@test "without a suite, or with an unknown option, it prints the usage" {
	run -2 "$SUITES"
	[[ $output == usage:* ]]
	run -2 "$SUITES" --pjdfstest suite --nonsense
	run -0 "$SUITES" --help
	[[ $output == usage:*--quick* ]]
}

@test "a directory that is not the suite's source is refused" {
	run -1 "$SUITES" --ltp suite
	[[ $output == *"not the sources of ltp"* ]]
	run -1 "$SUITES" --pjdfstest nowhere
	[[ $output == *"nowhere: no such directory"* ]]
	mkdir bin && ln -s "$(command -v bash)" "$(command -v dirname)" "$(command -v nproc)" bin/
	PATH=$PWD/bin run -1 "$SUITES" --fio
	[[ $output == *"apt-get install fio"* ]]
}

@test "a fault in the table is reported with its line" {
	list '# a comment' '' 'pjdfstest pipes make/00.t'
	run -1 suites
	echo "$output"
	[[ $output == *"differences.md:5: not of the form SUITE PLACE TEST TEXT"* ]]
	list 'nonsense pipes * .*'
	run -1 suites
	echo "$output"
	[[ $output == *"differences.md:3: nonsense: no such suite"* ]]
	list 'pjdfstest pipes * ('
	run -1 suites
	echo "$output"
	[[ $output == *"differences.md:3: not a regular expression"* ]]
}

@test "a difference is printed, and what both places refuse is none" {
	run -1 suites
	echo "$output"
	[[ $output == *"$DIFFERENCE"* ]]
	[[ $output != *mkdir* ]]
	[[ $output == *"8 tests, 0 differences listed, 2 not"* ]]
}

@test "a listed difference is counted, and a line that matches nothing is named" {
	list "pjdfstest @(served|queues) make/* tried 'stat NAME size', .* got 4096" 'pjdfstest shm make/* .*'
	run -0 suites
	echo "$output"
	[[ $output != *"$DIFFERENCE"* ]]
	[[ $output == *"differs no more: pjdfstest shm make/"* ]]
	[[ $output == *"8 tests, 2 differences listed, 0 not"* ]]
	run -0 suites --only 01
	[[ $output != *"differs no more"* ]]
}

@test "a line has to match the whole message, and its place" {
	list "pjdfstest served make/00.t tried 'stat" "pjdfstest shm make/00.t .*"
	run -1 suites --place served
	[[ $output == *"$DIFFERENCE"* ]]
	[[ $output == *"2 tests, 0 differences listed, 1 not"* ]]
}

@test "a test that can't be run does not count as agreeing" {
	IPCFS=/bin/false run -1 suites --place pipes
	[[ $output == *"could not be run"* ]]
}
