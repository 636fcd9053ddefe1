# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# fio writes a region in its ways, reads it back, and compares it with what it remembers (crc32c).

fio_places() {
	echo shm
}

fio_tests() {
	printf '%s\n' sync psync vsync pvsync mmap posixaio splice pread-mmap
}

fio_run() { # TEST
	local engine=$1 way=randrw more=()

	# What one engine wrote, another reads.
	if [[ $1 == pread-mmap ]]; then
		engine=mmap way=write
		more=(--ioengine=psync --name=other --rw=read --size=16m --filename="$WORK/fio" --bs=4k
			--verify=crc32c --stonewall)
	fi
	fio --minimal --name=one --filename="$WORK/fio" --size=16m --bs=4k \
		--rw=$way --ioengine="$engine" --verify=crc32c --verify_fatal=1 --fallocate=none "${more[@]}"
}

fio_read() {
	grep -E '^(fio:|verify:|suites:)' | sed -E 's#/run/(native|ipc/shm)#DIRECTORY#g; s/pid=[0-9]+/pid=N/; s/[0-9]{4,}/NUMBER/g'
}
