# SPDX-License-Identifier: GPL-2.0-or-later
# Prints results.csv as tables in Markdown: gawk -v groups="shm pipes" -f tables.awk. has_targets=1 adds
# targets and ratios, and marks targets that are missed. chosen="shm: WORK;pipes: WORK" prints these
# rows only, in fewer columns.
BEGIN { FPAT = "([^,]*)|(\"[^\"]*\")"; split(groups, wanted, " "); split("same other free", cpus, " ") }

function unquote(text) {
	gsub(/"/, "", text)
	return text
}

# Formats to three significant digits.
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
	# Where the target limits the figure itself, there is no ratio to show.
	if (has_targets && $6 != "" && $11 + 0 != sprintf("%.4g", $8) + 0)
		cell[key, cpu] = cell[key, cpu] sprintf(" (%s×)", figure($11))
	if (has_targets && $14 == "missed")
		cell[key, cpu] = "**" cell[key, cpu] "**"
	if (has_targets && $13 != "" && !index(targets[key], $13))
		targets[key] = targets[key] (targets[key] ? ", " : "") unquote($12) " " $13
}

# One row, with as many columns as the table has.
function row(title, key,    c, line) {
	line = "| " title " | " native[key] " | " unit[key] " |"
	if (has_targets && !chosen)
		line = line " " targets[key] " |"
	for (c = 1; c <= (chosen ? 2 : 3); c++)
		line = line " " ((key, cpus[c]) in cell ? cell[key, cpus[c]] : "") " |"
	print line
}

END {
	if (chosen) {
		print "| work | instead of | unit | same CPU | other CPU |"
		print "| --- | --- | --- | --- | --- |"
		n_chosen = split(chosen, rows, ";")
		for (i = 1; i <= n_chosen; i++) {
			group = rows[i]; sub(/: .*/, "", group)
			work = rows[i]; sub(/^[^:]*: /, "", work)
			if (!((group SUBSEP work) in unit)) {
				print "no row is named " rows[i] >"/dev/stderr"
				exit 1
			}
			row(rows[i], group SUBSEP work)
		}
		exit
	}
	printf "| work | instead of | unit |%s same CPU | other CPU | free |\n", has_targets ? " target |" : ""
	printf "| --- | --- | --- |%s --- | --- | --- |\n", has_targets ? " --- |" : ""
	for (g = 1; g in wanted; g++)
		for (i = 0; i < n[wanted[g]]; i++) {
			work = works[wanted[g], i]
			row(wanted[g] ": " work, wanted[g] SUBSEP work)
		}
}
