# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2016,SC2154
# The checks of scripts/test-boot on the Debian package, in a second system without anything of ipcfs:
# it is installed, upgraded while in use, removed and purged.

# install_package FILE: as users do, but without a network. Prints what apt prints.
install_package() {
	cp "$1" "$root/var/cache/ipcfs.deb"
	in_shell 'DEBIAN_FRONTEND=noninteractive apt-get install -q -y /var/cache/ipcfs.deb 2>&1; rm /var/cache/ipcfs.deb'
}

# next_package [COMMAND]: makes another version, changed by a command that runs in its directory, and
# prints the file.
next_package() {
	local dir=$work/next

	rm -rf "$dir"
	dpkg-deb -R "$package" "$dir"
	sed -i "s/^Version: .*/&+$(date +%s%N)/" "$dir/DEBIAN/control"
	(cd "$dir" && eval "${1:-:}")
	dpkg-deb -Zgzip --root-owner-group -b "$dir" "$work/next.deb" >/dev/null
	echo "$work/next.deb"
}

# Prints the system's files, except what changes by itself and what apt and dpkg keep of all packages.
all_files() {
	in_shell 'find / -xdev \( -path /var/log -o -path /var/cache/apt -o -path /var/cache/debconf -o -path /var/lib/apt \
		-o -path /tmp -o -path /var/tmp -o -path "/var/lib/systemd/t*" -o -path /var/lib/dpkg/lock -o -path "/var/lib/dpkg/*-old" \) -prune -o -print | sort
		find /run /dev/shm /dev/mqueue -name "*ipc*"'
}

check_package() {
	dpkg-deb --info "$package"
	dpkg-deb --contents "$package" >"$work/contents"
	for file in etc/ipcfs.conf etc/ipcfs.d/ usr/sbin/ipcfs usr/sbin/mount.ipcfs systemd/system/ipcfs.service \
		man5/ipcfs.5.gz man8/ipcfs.8.gz bash-completion/completions/ipcfs zsh/vendor-completions/_ipcfs \
		fish/vendor_completions.d/ipcfs.fish doc/ipcfs/README.md doc/ipcfs/README.Debian \
		doc/ipcfs/CHANGELOG.md doc/ipcfs/changelog.gz doc/ipcfs/examples/jobs.conf; do
		grep "/$file\$" "$work/contents"
	done
	[[ -e $(echo "$packages"/ipcfs_*.dsc) && -e $(echo "$packages"/ipcfs_*.tar.xz) ]]
	[[ $package == *"_$(dpkg-deb -f "$package" Version)_$(dpkg --print-architecture).deb" ]]
}

check_package_install() {
	all_files >"$work/before"
	install_package "$package"
	in_shell '(! systemctl is-enabled ipcfs); (! systemctl is-active ipcfs); (! grep fuse.ipcfs /proc/self/mountinfo)
		grep "^#create" /etc/ipcfs.conf; (! grep "^[^#]" /etc/ipcfs.conf)'
}

check_package_enable() {
	in_shell 'echo "create pipes/log" > /etc/ipcfs.d/log.conf; systemctl enable --now ipcfs
		ipcfs --status /ipc; echo hello > /ipc/pipes/log; head -n1 /ipc/pipes/log | grep -x hello'
}

check_package_reboot() {
	in_shell 'systemctl is-active ipcfs; ipcfs --status /ipc; test -p /ipc/pipes/log
		mkdir "/mnt/hand 1"; mount -t ipcfs none "/mnt/hand 1" -o config=/dev/null; ipcfs --status "/mnt/hand 1"
		echo create queues/new > /ipc/ctl'
	[[ $(inside systemctl is-system-running) == running ]]
}

# Starts services that have a pipe open with a line in it, and wait for a message.
start_clients() {
	in_shell 'rm -f /run/go /run/held /run/read
		systemd-run -q --unit=holder sh -c "exec 3<> /ipc/pipes/log; echo held >&3
			until test -e /run/go; do sleep 0.1; done; head -n1 <&3 > /run/held"
		until grep -qx "bytes 5" /ipc/info/pipes/log/status; do sleep 0.1; done'
	start_reader
}

# They have noticed nothing.
end_clients() {
	in_shell 'echo served > /ipc/queues/new; touch /run/go'
	wait_until in_shell 'grep -x served /run/read && grep -x held /run/held'
	wait_until in_shell '! systemctl is-active holder && ! systemctl is-active reader'
}

# Prints the pids of the unit's main process and of its daemon.
pids() {
	echo "$(main_pid) $(daemon_pid)"
}

is_of_package() { # PID
	in_shell "test /proc/$1/exe -ef /usr/sbin/ipcfs"
}

check_package_upgrade() {
	local before main daemon

	before=$(pids)
	start_clients
	install_package "$(next_package)" >"$work/apt"
	cat "$work/apt"
	grep '^/ipc: served by' "$work/apt"
	grep '^/mnt/hand 1: served by' "$work/apt"
	read -r main daemon <<<"$(pids)"
	[[ ${before% *} == "$main" && ${before#* } != "$daemon" ]]
	is_of_package "$main"
	is_of_package "$daemon"
	end_clients
	[[ $(n_mounts /ipc) == 1 && $(n_mounts '/mnt/hand.0401') == 1 ]]
}

# As if its version of the state were another.
check_package_refusal() {
	local before

	before=$(pids)
	start_clients
	install_package "$(next_package 'cd usr/sbin; mv ipcfs ipcfs.real; install -m 755 /dev/stdin ipcfs' <<-'EOT'
		#!/bin/sh
		case "$*" in *--adopts=*) exit 1 ;; esac
		exec /usr/sbin/ipcfs.real "$@"
		EOT
	)" >"$work/apt"
	cat "$work/apt"
	grep '/ipc: not replaced: the new executable cannot go on' "$work/apt"
	grep '^/ipc: the former version serves it on, until .*systemctl restart ipcfs' "$work/apt"
	[[ $(pids) == "$before" ]]
	install_package "$(next_package)" | grep '^/ipc: served by'
	[[ $(pids) != "$before" ]]
	end_clients
}

check_package_remove() {
	in_shell 'mkdir /ipc/sockets/servers/left; ls /run/ipcfs
		DEBIAN_FRONTEND=noninteractive apt-get remove -q -y ipcfs 2>&1
		(! grep fuse.ipcfs /proc/self/mountinfo); test -d /ipc; test -e /etc/ipcfs.conf; test -e /etc/ipcfs.d/log.conf
		(! grep -x "ipcfs.*" /proc/[0-9]*/comm); (! systemctl is-failed ipcfs)'
}

check_package_purge() {
	in_shell 'rmdir "/mnt/hand 1"; echo "create pipes/more" > /etc/ipcfs.d/more.conf; rm -f /dev/mqueue/new
		DEBIAN_FRONTEND=noninteractive apt-get purge -q -y ipcfs 2>&1; systemctl daemon-reload'
	all_files >"$work/after"
	diff "$work/before" "$work/after"
}

check_package_end() {
	journal -b -o short-monotonic | grep -i ipc | tail -n 40
	! journal -p warning | grep -v 'not replaced' | grep -i -E 'ipc|fuse'
}

power_off() {
	inside systemctl poweroff 2>/dev/null || :
	wait_until gone "$container"
	wait "$container" || :
	container=
}

# check_packages DIRECTORY: boots that system.
check_packages() {
	local packages=$work/packages package

	root=$1
	mkdir -p "$root/var/log/journal"
	on_builder "$top/scripts/package" "$packages"
	package=$(echo "$packages"/ipcfs_*.deb)
	check check_package 'scripts/package makes binary and source packages, without faults that lintian knows'
	step "booting without ipcfs"
	boot
	check check_package_install 'apt install puts it there, and enables and mounts nothing'
	check check_package_enable 'systemctl enable --now ipcfs gives a working /ipc'
	power_off
	step "booting again"
	boot
	check check_package_reboot 'that is there after a reboot'
	check check_package_upgrade 'an upgrade replaces the daemon of each mount, and readers and open files notice nothing'
	check check_package_refusal 'where it cannot, apt says so, and the former one serves until another version can'
	check check_package_remove 'apt remove unmounts, and keeps the configuration'
	check check_package_purge 'apt purge leaves nothing'
	power_off
	check check_package_end 'the journal has no warnings about ipcfs'
}
