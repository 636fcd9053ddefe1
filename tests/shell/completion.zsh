# SPDX-License-Identifier: GPL-2.0-or-later
# zsh -f completion.zsh DIRECTORY LINE FILE: writes what zsh offers at the end of LINE to FILE, one a
# line. DIRECTORY has the completion. zsh completes on a terminal only, so there is one.
zmodload zsh/zpty

zpty terminal zsh -f -i
zpty -w terminal "PROMPT= fpath=(${(q)1} \$fpath)
	autoload -Uz compinit && compinit -u -D && compdef _ipcfs echo
	compadd() {
		local -a offers

		if ! (( \${argv[(I)-[OAD]]} )); then
			builtin compadd -A offers \"\$@\"
			print -l -- \$offers >>${(q)3}
		fi
		builtin compadd \"\$@\"
	}
	write_offers() {
		_main_complete
		compstate[insert]= compstate[list]=
		: >${(q)3}.done
	}
	zle -C write-offers complete-word write_offers
	bindkey '^X' write-offers
	print is-\$((1))-ready"
zpty -r terminal line '*is-1-ready*'
zpty -n -w terminal "$2"$'\x18'
repeat 500; do
	[[ ! -e $3.done ]] || break
	sleep 0.02
done
zpty -d terminal
[[ -e $3.done ]]
