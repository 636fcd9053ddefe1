# SPDX-License-Identifier: GPL-2.0-or-later
# Prints the rows of one group of results.csv for plot.gp: a label, then for each placement how good
# ipcfs is and how good it should be. 1 is native, or the target if there is nothing native.
BEGIN { FPAT = "([^,]*)|(\"[^\"]*\")" }

function unquote(text) {
	gsub(/"/, "", text)
	return text
}

NR > 1 && unquote($1) == group {
	work = unquote($2); cpu = unquote($3); bound = unquote($12)
	if (!(work in seen))
		works[n++] = work
	seen[work] = 1
	score = $11; target = $13
	if ($6 == "") { # no native side: the target limits the figure itself
		good[work, cpu] = score > 0 ? target / score : 1
		goal[work, cpu] = 1
	} else {
		speed = unquote($4) ~ /\/s$/ ? $8 / $6 : $6 / $8
		if (bound == ">=") { speed = score; wanted = target }
		else if (bound == "<=") { speed = 1 / score; wanted = 1 / target }
		else if (bound == "<") wanted = $6 / target
		else wanted = "-"
		good[work, cpu] = speed
		goal[work, cpu] = wanted
	}
}

END {
	split("same other free", cpus, " ")
	for (i = 0; i < n; i++) {
		printf "\"%s\"", works[i]
		for (c = 1; c <= 3; c++) {
			key = works[i] SUBSEP cpus[c]
			printf " %s %s", key in good ? good[key] : "-", key in goal ? goal[key] : "-"
		}
		printf "\n"
	}
}
