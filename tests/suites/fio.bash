# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# fio writes a region by one of its engines, reads it back, and compares checksums (crc32c).

fio_places() {
	echo shm
}

fio_tests() {
	printf '%s\n' sync psync vsync pvsync mmap posixaio splice pread-mmap
}

fio_run() { # TEST
	local engine=$1 way=randrw more=()

	# One engine writes, and another reads and verifies.
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
