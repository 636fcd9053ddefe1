# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2016,SC2154
# The checks of scripts/test-boot on the booted system: a function for each line that it prints.

installed_files() {
	(cd "$1" && find . ! -type d | sort)
}

check_install() {
	meson_install "$work/dest"
	installed_files "$work/dest"
	[[ $(installed_files "$work/dest" | sed 's#.*/##' | LC_ALL=C sort | xargs) == \
		"_ipcfs choosing.md cluster.md differences.md index.png ipcfs ipcfs ipcfs.5 ipcfs.8 ipcfs.conf ipcfs.fish ipcfs.service mount.fuse.ipcfs mount.ipcfs security.md tutorial.md" ]]
}

check_uninstall() {
	quiet on_builder env DESTDIR="$work/dest" ninja -C "$build_dir" uninstall
	[[ ! -e $work/dest || -z $(installed_files "$work/dest") ]]
}

check_running() {
	inside systemctl --failed
	[[ $(inside systemctl is-system-running) == running ]]
}

check_unit() {
	inside systemctl status --no-pager ipcfs
	in_shell 'grep CapBnd "/proc/$(systemctl show -P MainPID ipcfs)/status"'
	[[ $(inside systemctl show -P Type ipcfs) == notify ]]
	[[ $(inside readlink "/proc/$(main_pid)/ns/mnt") == "$(inside readlink /proc/1/ns/mnt)" ]]
}

# The most that systemd-analyze(1) may rate the unit, which has the rights that its work needs; see
# its comments. Lower is better: a root service without any restriction has 9.6.
max_exposure=5.1

check_exposure() {
	inside systemd-analyze security --no-pager --threshold="${max_exposure/./}" ipcfs
}

check_channels() {
	in_shell 'ls -l /ipc/pipes /ipc/queues /ipc/shm; cat /dev/mqueue/jobs; test -p /ipc/pipes/log'
	[[ $(in_shell 'cd /ipc; stat -Lc "%n %a %G" pipes/log topics/log queues/jobs shm/frame pipes/more; stat -Lc %s shm/frame' | xargs) == \
		"pipes/log 640 adm topics/log 640 users queues/jobs 660 users shm/frame 660 video pipes/more 644 root 67108864" ]]
}

check_service_found_channels() {
	inside systemctl status --no-pager client || : # fails, as the service has ended
	[[ $(in_shell 'timeout 5 cat /ipc/pipes/log /mnt/ipc/pipes/fstab' | xargs) == "unit fstab" ]]
}

# Also to a service that has a user and a mount namespace of its own, and while the daemon is stopped.
check_status() {
	local daemon

	daemon=$(daemon_pid)
	in_shell 'ask() { systemd-run -q -p Type=oneshot -p StandardOutput=truncate:/run/status "$@" /usr/local/sbin/ipcfs --status /ipc
			cat /run/status; }
		ask; grep "^/ipc: ok, .* pid='"$daemon"' channels=[1-9]" /run/status
		ask -p DynamicUser=yes; grep "^/ipc: ok, " /run/status; rm /run/status
		systemctl kill -s STOP ipcfs; status=0; /usr/local/sbin/ipcfs --status /ipc || status=$?
		systemctl kill -s CONT ipcfs; test $status = 2
		status=0; /usr/local/sbin/ipcfs --status /run || status=$?; test $status = 3; /usr/local/sbin/ipcfs --status /ipc'
}

check_summary() {
	in_shell 'systemd-run -q -p Type=oneshot -p DynamicUser=yes -p StandardOutput=truncate:/run/summary cat /ipc/info/summary
		cat /run/summary; for kind in pipes topics queues shm; do grep -w "$kind" /run/summary; done; rm /run/summary'
}

# The service has fewer capabilities and system calls than a root shell.
check_operator() {
	in_shell 'systemd-run -q --unit=victim -p DynamicUser=yes sleep 100; pid=$(systemctl show -P MainPID victim)
		exec 3< /ipc/signals/$pid; echo TERM > /ipc/signals/$pid; timeout 10 cat <&3 | tee /run/end; grep -x "killed TERM" /run/end
		systemd-run -q -p Type=oneshot -p User=nobody sh -c "echo left > /dev/shm/left"
		for i in 1 2 3 4 5; do echo "reap shm idle=1" > /ipc/ctl; test -e /dev/shm/left || break; sleep 1; done
		grep "shm/left, owner .*: no process has it open" /ipc/ctl; test ! -e /dev/shm/left; rm /run/end'
}

check_fstab() {
	in_shell 'findmnt -t fuse.ipcfs'
	in_shell 'findmnt -no OPTIONS /mnt/ipc | (! grep -w noexec); findmnt -no OPTIONS /srv/ipc | grep -w noexec'
	in_shell 'test -e /mnt/ipc/pipes/fstab && ! test -e /mnt/ipc/pipes/log && test -e /srv/ipc/pipes/log'
}

check_mount_all() {
	in_shell 'mount -a'
	in_shell 'findmnt -t fuse.ipcfs'
	[[ $(n_mounts /ipc) == 1 && $(n_mounts /mnt/ipc) == 1 && $(n_mounts /srv/ipc) == 1 ]]
}

check_helper() {
	in_shell 'mkdir -p /tmp/m
		mount -v -t ipcfs none /tmp/m -o ro; findmnt /tmp/m; umount /tmp/m
		mount -f -t ipcfs none /tmp/m; (! findmnt /tmp/m)
		status=0; mount -t ipcfs none /tmp/m -o nonsense || status=$?; test $status = 32
		echo nonsense > /tmp/bad.conf
		status=0; mount -t ipcfs none /tmp/m -o config=/tmp/bad.conf,config_strict || status=$?; test $status = 32
		status=0; mount.fuse.ipcfs || status=$?; test $status = 1
		(! findmnt /tmp/m)'
}

# The unit's restrictions must not get in the way of what the mount is for.
check_users() {
	in_shell 'cd /ipc; setpriv --reuid=12345 --regid=12345 --clear-groups sh -ec "
			umask 077; for kind in pipes queues shm; do echo hello > \$kind/u; chmod 640 \$kind/u; done
			echo create pipes/by-ctl capacity=8K > ctl; mkfifo pipes/fifo"
		chown 0:0 pipes/u; chgrp 100 queues/u shm/u
		stat -c "%n %u %g %a" pipes/u queues/u shm/u pipes/by-ctl pipes/fifo
		read -r line < queues/u; test "$line" = hello; rm pipes/u queues/u shm/u pipes/by-ctl pipes/fifo'
}

# as_user UID 'COMMANDS': runs them as that user, without capabilities.
as_user() {
	inside setpriv --reuid="$1" --regid="$1" --clear-groups sh -ec "cd /ipc; $2"
}

check_user_kinds() {
	as_user 12345 'echo create sems/s value=1 > ctl; read -r line < sems/s; echo 1 > sems/s; rm sems/s
		echo 2 > events/e; read -r line < events/e; echo "event $line"; rm events/e'
	as_user 12345 'echo hello > sysv/queues/0x4d2; read -r line < sysv/queues/0x4d2; echo "$line"; rm sysv/queues/0x4d2
		echo create sysv/sems/0x4d2 value=3 > ctl; echo 0 -1 > sysv/sems/0x4d2; cat sysv/sems/0x4d2; rm sysv/sems/0x4d2'
	as_user 12345 'echo create sysv/shm/0x4d2 size=4K > ctl; echo hello | dd of=sysv/shm/0x4d2 conv=notrunc status=none
		perl -e "\$id = shmget(0x4d2, 0, 0); shmread(\$id, \$text, 0, 5) or die; \$text eq q(hello) or die"
		rm sysv/shm/0x4d2'
	as_user 12345 'ls sockets/unix/run > /dev/null; echo create sockets/servers/s listen=abstract:s > ctl
		exec 3<>sockets/abstract/s; (exec 4<>sockets/servers/s/accept; echo accepted >&4) & read -r line <&3; echo "$line"
		exec 3<&-; wait; rmdir sockets/servers/s; cat info/summary info/metrics info/inventory.json > /dev/null'
}

check_root_kinds() {
	in_shell 'cd /ipc; echo create sockets/servers/low listen=tcp:127.0.0.1:81 > ctl
		exec 3<>sockets/tcp/127.0.0.1/81; (exec 4<>sockets/servers/low/accept; echo accepted >&4) & read -r line <&3; echo "$line"
		exec 3<&-; wait; rmdir sockets/servers/low'
	as_user 12345 '! echo create sockets/servers/low listen=tcp:127.0.0.1:81 > ctl
		umask 077; echo theirs > queues/theirs; echo theirs > shm/theirs; echo theirs > sysv/queues/0x4d2'
	as_user 12346 '! rm queues/theirs && ! rm shm/theirs && ! rm sysv/queues/0x4d2 && ! cat shm/theirs'
	in_shell 'cd /ipc; read -r line < queues/theirs; cat shm/theirs; ipcs -q | grep 0x000004d2
		chown 12346 queues/theirs shm/theirs; rm queues/theirs shm/theirs sysv/queues/0x4d2
		sleep 100 < shm/frame & until grep "^$! " info/shm/frame/peers; do sleep 0.1; done; kill $!'
}

check_passthrough() {
	in_shell 'stat -c %F /ipc/shm/frame; echo hello > /dev/shm/p; cat /ipc/shm/p; echo more >> /ipc/shm/p; cat /dev/shm/p; rm /ipc/shm/p'
	[[ $(in_shell 'stat -c %F /ipc/shm/frame') == "regular"* ]]
}

# systemd opens the file that a service reads, and waits only until the first writer comes.
check_input() {
	in_shell 'read_it() { systemd-run -q -p StandardInput=file:/ipc/pipes/more -p StandardOutput=append:/run/read cat; }
		echo hello > /ipc/pipes/more; read_it
		until grep -x hello /run/read; do sleep 0.1; done
		read_it; (echo one; echo two) > /ipc/pipes/more
		until grep -x two /run/read; do sleep 0.1; done; rm /run/read'
}

# A reader that is stopped, and one that is killed, do not stop the service.
check_output() {
	in_shell 'for how in append file truncate; do
			systemd-run -q --unit="by-$how" -p "StandardOutput=$how:/ipc/topics/log" \
				sh -c "n=0; while sleep 0.01; do n=\$((n + 1)); echo $how \$n; done"
		done'
	in_shell 'cd /ipc; reader() { exec setpriv --reuid=12345 --regid="$1" --clear-groups "$2" topics/log; }
		has_readers() { until grep -qx "readers $1" info/topics/log/status; do sleep 0.1; done; }
		(reader 100 cat > /dev/null) & stopped=$!; has_readers 1; kill -STOP $stopped
		(reader 100 cat > /dev/null) & has_readers 2; kill -KILL $!; has_readers 1
		for how in append file truncate; do (reader 100 cat) | grep -m 2 "^$how "; done
		for how in append file truncate; do systemctl stop "by-$how"; systemctl show -P Result "by-$how" | grep -x success; done
		(! (reader 12345 cat)); kill -KILL $stopped; cat info/topics/log/status'
}

check_reload() {
	in_shell 'echo create queues/new mode=640 > /etc/ipcfs.d/new.conf
		echo create pipes/bad colour=red > /etc/ipcfs.d/bad.conf
		systemctl reload ipcfs'
	wait_until in_shell 'test -e /ipc/queues/new'
	wait_until in_shell 'journalctl -q -b -u ipcfs -p err | grep "/etc/ipcfs.d/bad.conf:1: colour:"'
	in_shell 'rm /etc/ipcfs.d/bad.conf; systemctl is-active ipcfs; systemctl reload ipcfs'
}

# Starts a service that reads a line of queues/new to /run/read, and waits until it waits.
start_reader() {
	in_shell 'systemd-run -q --unit=reader sh -c "head -n1 /ipc/queues/new > /run/read"
		until grep -qx "waiting 1" /ipc/info/queues/new/status; do sleep 0.1; done'
}

# is_as_before MAIN-PID N-RESTARTS: the unit has noticed nothing.
is_as_before() {
	[[ $(main_pid) == "$1" && $(inside systemctl show -P NRestarts ipcfs) == "$2" ]]
	inside systemctl show -P ActiveState ipcfs | grep -x active
}

check_follow() {
	local main daemon n

	main=$(main_pid)
	n=$(inside systemctl show -P NRestarts ipcfs)
	daemon=$(daemon_pid)
	start_reader
	in_shell "kill -KILL $daemon; echo served > /ipc/queues/new"
	wait_until in_shell 'grep -x served /run/read'
	wait_until in_shell 'journalctl -q -b -u ipcfs | grep "daemon was killed by SIGKILL (.*; the next one goes on"'
	is_as_before "$main" "$n"
	[[ -n $(daemon_pid) && $(daemon_pid) != "$daemon" ]]
}

is_serving_installed() { # MAIN-PID
	in_shell "test /proc/$1/exe -ef /usr/local/sbin/ipcfs && test /proc/$(daemon_pid)/exe -ef /usr/local/sbin/ipcfs"
}

check_upgrade() {
	local main daemon n

	main=$(main_pid)
	n=$(inside systemctl show -P NRestarts ipcfs)
	daemon=$(daemon_pid)
	in_shell 'systemd-run -q --unit=holder sh -c "exec 3<> /ipc/pipes/log; echo held >&3
			until test -e /run/go; do sleep 0.1; done; head -n1 <&3 > /run/held"
		until grep -qx "bytes 5" /ipc/info/pipes/log/status; do sleep 0.1; done'
	start_reader
	in_shell 'cd /usr/local/sbin; cp ipcfs ipcfs.new; mv ipcfs.new ipcfs; systemctl reload ipcfs'
	wait_until is_serving_installed "$main"
	in_shell 'echo served > /ipc/queues/new; touch /run/go'
	wait_until in_shell 'grep -x served /run/read && grep -x held /run/held'
	wait_until in_shell 'journalctl -q -b -u ipcfs | grep "replaced: the mount is served by ipcfs "'
	is_as_before "$main" "$n"
	[[ $(daemon_pid) != "$daemon" ]]
}

# The configuration is read all the same.
check_refusal() {
	local main daemon n

	main=$(main_pid)
	n=$(inside systemctl show -P NRestarts ipcfs)
	daemon=$(daemon_pid)
	in_shell 'echo create pipes/later > /etc/ipcfs.d/later.conf; cd /usr/local/sbin; ln ipcfs ipcfs.good
		printf "#!/bin/sh\nexit 1\n" > ipcfs.new; chmod 755 ipcfs.new; mv ipcfs.new ipcfs; systemctl reload ipcfs'
	wait_until in_shell 'journalctl -q -b -u ipcfs -p err | grep "ipcfs: not replaced: the new executable cannot"'
	wait_until in_shell 'test -e /ipc/pipes/later'
	in_shell 'cd /usr/local/sbin; mv ipcfs.good ipcfs; rm /etc/ipcfs.d/later.conf /ipc/pipes/later'
	is_as_before "$main" "$n"
	[[ $(daemon_pid) == "$daemon" ]]
	is_serving_installed "$main"
}

check_restart() {
	local main

	main=$(main_pid)
	start_reader
	in_shell 'journalctl -q --sync; systemctl restart ipcfs; test -e /ipc/pipes/log'
	[[ $(main_pid) != "$main" && $(n_mounts /ipc) == 1 ]]
	wait_until in_shell 'systemctl show -P SubState reader | grep -E "failed|exited|dead"'
	in_shell 'systemctl reset-failed reader || :; journalctl -q -b -u ipcfs -n 5 | grep "ipcfs.service: Deactivated successfully"'
}

is_back() { # OLD-PID
	local pid

	pid=$(main_pid) && [[ $pid != 0 && $pid != "$1" ]] && inside test -e /ipc/queues/jobs
}

check_crash() {
	local pid

	pid=$(main_pid)
	in_shell 'echo one > /ipc/queues/jobs; echo two > /ipc/queues/jobs; echo kept | dd of=/ipc/shm/frame conv=notrunc status=none
		chmod 600 /ipc/queues/new; rm /ipc/pipes/more
		systemd-run -q --unit=reader --remain-after-exit sh -c "cat /ipc/queues/new"'
	in_shell "kill -KILL $pid"
	wait_until is_back "$pid"
	wait_until in_shell 'systemctl show -P SubState reader | grep -E "failed|exited"'
	in_shell 'systemctl reset-failed reader; journalctl -b -u ipcfs -u reader --no-pager | tail -n 12'
	in_shell "findmnt -t fuse.ipcfs"
	[[ $(n_mounts /ipc) == 1 ]]
	in_shell 'for n in 1 2; do read -r line; echo "$line"; done < /ipc/queues/jobs
		head -n1 /ipc/shm/frame; stat -c %a /ipc/queues/new; ls /ipc/pipes' >"$work/kept"
	cat "$work/kept"
	[[ $(xargs <"$work/kept") == "one two kept 640 log more" ]]
}

# systemd refuses a sixth start within ten seconds.
forget_starts() {
	inside systemctl reset-failed ipcfs
}

check_stop() {
	in_shell 'systemctl stop ipcfs; (! findmnt /ipc); systemctl show -P Result ipcfs | grep -x success
		systemctl start ipcfs; test -e /ipc/pipes/log'
}

# Also while the next daemon is about to begin.
check_stop_at_once() {
	forget_starts
	in_shell "kill -KILL $(daemon_pid); systemctl stop ipcfs; (! findmnt /ipc)"
	in_shell 'systemctl show -P Result ipcfs | grep -x success; systemctl start ipcfs; test -e /ipc/pipes/log'
}

check_umount() {
	in_shell 'umount /ipc'
	wait_until in_shell 'systemctl show -P ActiveState ipcfs | grep -x inactive'
	in_shell 'systemctl show -P Result ipcfs | grep -x success; systemctl start ipcfs'
}

check_namespace() {
	forget_starts
	in_shell 'systemd-run -q --unit=other unshare --ipc sleep 100
		until test "$(readlink /proc/$(systemctl show -P MainPID other)/exe)" = /usr/bin/sleep; do sleep 0.1; done
		mkdir -p /run/systemd/system/ipcfs.service.d
		printf "[Service]\nEnvironment=OPTIONS=ipcns=$(systemctl show -P MainPID other)\n" > /run/systemd/system/ipcfs.service.d/x.conf
		systemctl daemon-reload; systemctl restart ipcfs
		test -e /ipc/queues/jobs; echo hello > /ipc/queues/there
		test ! -e /dev/mqueue/there; nsenter -t "$(systemctl show -P MainPID other)" -i sh -c "
			mkdir -p /tmp/q; mount -t mqueue none /tmp/q; test -e /tmp/q/there; umount /tmp/q"
		rm -r /run/systemd/system/ipcfs.service.d; systemctl stop other; systemctl daemon-reload; systemctl restart ipcfs'
}

check_variables() {
	forget_starts
	in_shell 'mkdir -p /run/systemd/system/ipcfs.service.d
		printf "[Service]\nEnvironment=MOUNTPOINT=/elsewhere OPTIONS=noatime,max_held=100\n" > /run/systemd/system/ipcfs.service.d/x.conf
		systemctl daemon-reload; systemctl restart ipcfs; findmnt -no OPTIONS /elsewhere | grep -w noatime; (! findmnt /ipc)
		rm -r /run/systemd/system/ipcfs.service.d; systemctl daemon-reload; systemctl restart ipcfs
		findmnt /ipc; (! findmnt /elsewhere)'
}

# Readers wait in two of the mounts meanwhile.
check_poweroff() {
	local start=$SECONDS

	in_shell 'for mount in /ipc /mnt/ipc; do systemd-run -q sh -c "cat $mount/queues/jobs"; done; sleep 0.5'
	inside systemctl poweroff
	wait_until gone "$container"
	echo "after $((SECONDS - start)) s"
	((SECONDS - start < 20))
}

gone() { # PID; a zombie counts as gone
	[[ ! -e /proc/$1 || $(sed 's/.*) //; s/ .*//' "/proc/$1/stat") == Z ]]
}

journal() {
	journalctl --directory="$root/var/log/journal" --no-pager --quiet "$@"
}

check_journal() {
	journal -b -o short-monotonic | grep -i ipc | tail -n 60
	! journal -b -p warning | grep -v -E 'bad.conf:1: colour|ipcfs.service: (Main process exited|Failed with result .signal)|reader.service|the daemon was killed by SIGKILL|not replaced' | grep -i -E 'ipc|fuse'
}
