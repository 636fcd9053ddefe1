#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# ipcfs(5) and ipcfs(8): their examples, as they are printed there with another mount point; and that
# they name all that the program takes, and nothing else.
# shellcheck shell=bats disable=SC2016

load helper
load typed
load options

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
		exec 8< <(cd / && exec python3 -u -c "
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

# chapter TITLE: of ipcfs(8), up to the next title.
chapter() {
	awk -v title="$1" '/^#/ { on = $0 ~ "^#+ " title "$" } on' "$HERE/../../docs/ipcfs.8.scd"
}

# The flags and options that have a paragraph in OPTIONS.
options_of_manual() {
	chapter OPTIONS | grep '^\*' | grep -oP '\*-o \K[a-z_]+=?|\*\K--?[a-zA-Z]+(?=\*)' | sort
}

# The words in the terms of "Mount options".
mount_words_of_manual() {
	chapter "Mount options" | grep '^\*' | sed 's/[\]//g' | grep -oP '(?<![a-z*])\*\K[a-zA-Z_-][a-z_=.-]*(?=\*)' |
		grep -vxE 'mount|ipcfs'
}

@test "the options of ipcfs(8) are those of --help, with one paragraph for each" {
	"$IPCFS" --help | sed '1d;$d' >"$BATS_TEST_TMPDIR/help"
	grep -oP -- '-o \K[a-z_]+=?|(?<![\w-])--?[a-zA-Z]+\b|\b[a-z_]+=' "$BATS_TEST_TMPDIR/help" | sort -u >"$OUT"
	[[ $(wc -l <"$OUT") -ge 25 ]]
	diff "$OUT" <(options_of_manual)
}

@test "ipcfs(8) has each flag and mount option that the program takes, and no others" {
	(options_of_manual && mount_words_of_manual) | sort -u >"$OUT"
	run -0 comm -23 <((program_flags && program_options && mount_words IGNORED) | grep -vx -e -o | sort -u) "$OUT"
	[[ -z $output ]] || (echo "not in ipcfs(8): $output" && false)
	run -0 comm -13 <((program_flags && program_options && mount_words 'IGNORED|REFUSED') | sort -u) "$OUT"
	[[ -z $output ]] || (echo "only in ipcfs(8): $output" && false)
}

@test "ipcfs(8) has each feature of the kernel that without= takes" {
	diff <(program_features | sort) <(chapter OPTIONS | grep -oP '^\t- _\K[a-z_]+(?=_ ?[(:].*)' | grep -vxE 'net|ipc|pid' | sort)
}

# settled: of each KEY=VALUE on stdin, the key, and the words that the value can be if these are fixed.
settled() {
	local key value

	while IFS='=' read -r key value; do
		[[ $value == [a-z]* ]] || value=''
		xargs <<<"$key $(tr '|' '\n' <<<"$value" | sort | xargs)"
	done | sort -u
}

# Settings of kinds are compared chapter by chapter. The titles below SYSTEM V and CLUSTER are theirs.
@test "ipcfs(5) has the keys of each kind, and their words, as ctl has them" {
	local -A kinds=([PIPES]=pipes [TOPICS]=topics [QUEUES]=queues ["SHARED MEMORY"]=shm [SEMAPHORES]=sems
		[EVENTS]=events [SOCKETS]=sockets/servers ["SYSTEM V"]='sysv/queues sysv/shm sysv/sems'
		[CLUSTER]='cluster/queues cluster/topics cluster/values')
	local title kind options=cluster=nats://127.0.0.1:1

	has_cluster || unset 'kinds[CLUSTER]' options
	typed 'cat ctl' "${options:-}" >"$OUT"
	[[ $(grammar <"$OUT" | sort) == "$(tr ' ' '\n' <<<"${kinds[*]}" | sort)" ]]
	for title in "${!kinds[@]}"; do
		for kind in ${kinds[$title]}; do
			grammar "$kind" <"$OUT"
		done | settled >"$OUT.ctl"
		awk -v title="$title" '/^# / { on = $0 == "# " title } on' "$HERE/../../docs/ipcfs.5.scd" |
			grep -E '^\*[a-z_]+=' | tr -d '*' | settled |
			diff "$OUT.ctl" -
	done
}

@test "ipcfs(5) names each key that a status can have" {
	local key bad=0

	grep -rhoP '\brow_add_[a-z]+\(&?row, "\K[^"]+' "$HERE/../../lib" |
		grep -vx idle-since | sort -u >"$OUT" # no file shows that one
	[[ $(wc -l <"$OUT") -ge 70 ]]
	while read -r key; do
		grep -qP "(?<![\w-])\Q$key\E(?![\w-])" "$HERE/../../docs/ipcfs.5.scd" || {
			echo "not in ipcfs(5): $key"
			bad=1
		}
	done <"$OUT"
	[[ $bad == 0 ]]
}
