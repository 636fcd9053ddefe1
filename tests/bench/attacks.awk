# SPDX-License-Identifier: GPL-2.0-or-later
# Prints attacks.csv as a table in Markdown.
BEGIN { FPAT = "([^,]*)|(\"[^\"]*\")" }

function unquote(text) {
	gsub(/"/, "", text)
	return text
}

function figure(value) {
	return value >= 9.95 ? sprintf("%.0f", value) : sprintf("%.2f", value)
}

NR > 1 {
	attack = unquote($1); deed = unquote($2)
	if (!(attack in seen))
		attacks[++n] = attack
	seen[attack] = 1
	if (!(deed in known))
		deeds[++n_deeds] = deed
	known[deed] = 1
	text = figure($5) " / " figure($6)
	if ($7 == "hung")
		text = "hung"
	else if ($7 == "none")
		text = "-"
	else if ($7 != "met" && $7 != "missed")
		text = text " (" $7 ")"
	cell[attack, deed] = $7 == "met" ? text : "**" text "**"
}

END {
	printf "| attack |"
	for (d = 1; d <= n_deeds; d++)
		printf " %s |", deeds[d]
	printf "\n| --- |"
	for (d = 1; d <= n_deeds; d++)
		printf " --- |"
	printf "\n"
	for (a = 1; a <= n; a++) {
		printf "| %s |", attacks[a]
		for (d = 1; d <= n_deeds; d++)
			printf " %s |", cell[attacks[a], deeds[d]]
		printf "\n"
	}
}
