# SPDX-License-Identifier: GPL-2.0-or-later
# results.csv as tables in Markdown: gawk -v groups="shm pipes" -f tables.awk; has_targets=1 adds the
# targets and marks what misses them, is_short=1 leaves out rows that have none.
BEGIN { FPAT = "([^,]*)|(\"[^\"]*\")"; split(groups, wanted, " "); split("same other free", cpus, " ") }

function unquote(text) {
	gsub(/"/, "", text)
	return text
}

# Three digits that count.
function figure(value) {
	if (value >= 99.5)
		return sprintf("%.0f", value)
	return value >= 9.95 ? sprintf("%.1f", value) : sprintf("%.2f", value)
}

NR > 1 {
	group = unquote($1); work = unquote($2); cpu = unquote($3); key = group SUBSEP work
	if (!(key in unit)) {
		works[group, n[group]++] = work
		unit[key] = unquote($4); native[key] = unquote($5)
	}
	cell[key, cpu] = ($6 == "" ? "" : figure($6) " → ") figure($8)
	# Where the figure itself is bounded there is nothing to compare it with.
	if (has_targets && $6 != "" && $11 + 0 != sprintf("%.4g", $8) + 0)
		cell[key, cpu] = cell[key, cpu] sprintf(" (%s×)", figure($11))
	if (has_targets && $14 == "missed")
		cell[key, cpu] = "**" cell[key, cpu] "**"
	if (has_targets && $13 != "" && !index(targets[key], $13))
		targets[key] = targets[key] (targets[key] ? ", " : "") unquote($12) " " $13
}

END {
	printf "| work | instead | unit |%s same CPU | other CPU | free |\n", has_targets ? " to reach |" : ""
	printf "| --- | --- | --- |%s --- | --- | --- |\n", has_targets ? " --- |" : ""
	for (g = 1; g in wanted; g++)
		for (i = 0; i < n[wanted[g]]; i++) {
			work = works[wanted[g], i]; key = wanted[g] SUBSEP work
			if (is_short && targets[key] == "")
				continue
			printf "| %s: %s | %s | %s |", wanted[g], work, native[key], unit[key]
			if (has_targets)
				printf " %s |", targets[key]
			for (c = 1; c <= 3; c++)
				printf " %s |", (key, cpus[c]) in cell ? cell[key, cpus[c]] : ""
			printf "\n"
		}
}
