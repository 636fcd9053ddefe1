#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The examples of ipcfs(5) and ipcfs(8), as they are printed there with another mount point.
# shellcheck shell=bats disable=SC2016

load helper
load typed

PAGE=$HERE/../../docs/ipcfs.5.scd

# examples PATTERN: the blocks of the page whose first line matches.
examples() {
	awk -v pattern="$1" '
		/^```/ { inside = !inside; first = inside; next }
		inside && first { first = 0; wanted = $0 ~ pattern }
		inside && wanted' "$PAGE" | sed 's/\\\\/\\/g'
}

@test "the sessions in ipcfs(5) print what they say" {
	examples '^([$] |>>> )' >"$BATS_TEST_TMPDIR/session"
	prints_what_it_says "$BATS_TEST_TMPDIR/session"
}

@test "the configuration in ipcfs(5) takes effect without a fault" {
	examples '^create ' >"$BATS_TEST_TMPDIR/ipcfs.conf"
	[[ $(wc -l <"$BATS_TEST_TMPDIR/ipcfs.conf") -gt 5 ]]
	run -0 typed 'while read -r _ path _; do [[ $path == "'"'events/a"'" ]] || ls -d "$path"; done \
			< "$BATS_TEST_TMPDIR/ipcfs.conf"
		ls "events/a tick"' "config=$BATS_TEST_TMPDIR/ipcfs.conf,config_strict"
}

@test "the client of a web server in ipcfs(5) gets its page" {
	examples '^exec 3<>/ipc/sockets/tcp/' >"$BATS_TEST_TMPDIR/client"
	export CLIENT=$BATS_TEST_TMPDIR/client
	run -0 typed '
		exec 8< <(exec python3 -u -c "
import http.server
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b\"the page\\n\")
server = http.server.HTTPServer((\"127.0.0.1\", 0), Handler)
print(server.server_port)
server.handle_request()" 2>/dev/null)
		read -r port <&8
		sed -i "s|/ipc|$IPC|; s|/80|/$port|" "$CLIENT"
		source "$CLIENT"'
	[[ ${lines[-1]} == "the page" ]]
}

@test "what root types in ipcfs(8) mounts, sends, and unmounts" {
	PAGE=$HERE/../../docs/ipcfs.8.scd
	examples '^# mkdir' | sed -n "s|/ipc\b|$IPC|g; s/^# //p" >"$BATS_TEST_TMPDIR/commands"
	[[ $(wc -l <"$BATS_TEST_TMPDIR/commands") == 3 ]]
	PATH=$(dirname "$IPCFS"):$PATH run -0 timeout -k 1 30 unshare --mount --ipc --propagation private \
		bash -ec 'source "$1"' bash "$BATS_TEST_TMPDIR/commands" 3>&-
	[[ -z $output ]]
}
