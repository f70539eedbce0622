# SPDX-License-Identifier: GPL-2.0-or-later
# bash completion for qlaunch; installed as share/bash-completion/completions/qlaunch

# The names of configurations in the usual folders.
_qlaunch_names() {
	local f
	for f in ~/.config/qlaunch/*.conf /etc/qlaunch/*.conf; do
		[[ -e $f ]] && f=${f##*/} && printf '%s\n' "${f%.conf}"
	done
}

# Running machines, and those that left something behind.
_qlaunch_machines() {
	local d
	for d in /run/qlaunch/*/journal "${XDG_RUNTIME_DIR:-/nonexistent}"/qlaunch/*/journal; do
		[[ -e $d ]] && d=${d%/journal} && printf '%s\n' "${d##*/}"
	done
}

# What may follow --set, for the word so far and the configuration of the line (may be empty).
_qlaunch_sets() {
	local line
	qlaunch _keys names ${2:+"$2"} 2>/dev/null | while IFS= read -r line; do
		[[ $line == "$1"* && ( $1 == *=* || $line == *= ) ]] && printf '%q\n' "$line"
	done
}

_qlaunch() {
	local verbs="run plan check new import disk desktop desktop switch setup groups monitors bench status top console stop restore" options="--set --json --html --undo --gpu --yes --from --output --format --backing --full --compress --drop --shrink --install --drivers --try --force --once --interval --remove --root --quiet --verbose --help --version"
	local line=${COMP_LINE:0:COMP_POINT} words verb="" config="" word i skip=""
	# "=" ends a word for bash, so the words are taken from the line; read leaves a blank behind a backslash inside its word
	read -a words <<<"$line"
	[[ $line == *[[:space:]] && $line != *\\[[:space:]] ]] && words+=("")
	local cur=${words[-1]} last=$((${#words[@]} - 1)) prev=""
	((last > 0)) && prev=${words[last - 1]}
	for ((i = 1; i < last; i++)); do
		word=${words[i]}
		if [[ $skip ]]; then skip=""; continue; fi
		case $word in
		--set | --root | --gpu | --from | --output | --format | --backing | --install | --drivers | --try) skip=yes ;;
		-*) ;;
		*) if [[ ! $verb && " $verbs " == *" $word "* ]]; then verb=$word; else verb=${verb:-run} config=${config:-$word}; fi ;;
		esac
	done
	COMPREPLY=()
	if [[ $prev == --set ]]; then
		mapfile -t COMPREPLY < <(_qlaunch_sets "$cur" "$config")
		compopt -o nospace
		[[ $cur == *=* ]] && COMPREPLY=("${COMPREPLY[@]#*=}") # bash completes what stands after the "="
	elif [[ $prev == --from || $prev == --output || $prev == --install || $prev == --drivers ]]; then
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
	elif [[ $prev == --root ]]; then
		mapfile -t COMPREPLY < <(compgen -d -- "$cur")
	elif [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
	elif [[ $verb == status || $verb == top || $verb == console || $verb == stop || $verb == restore ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_qlaunch_machines)" -- "$cur")
	elif [[ $verb == bench ]]; then
		compopt -o filenames
		mapfile -t COMPREPLY < <([[ $config ]] || compgen -W "report compare submit gather" -- "$cur"; compgen -f -- "$cur")
	elif [[ $prev == --format ]]; then
		mapfile -t COMPREPLY < <(compgen -W "qcow2 raw" -- "$cur")
	elif [[ $verb == disk && ! $config ]]; then
		mapfile -t COMPREPLY < <(compgen -W "create list snapshot revert delete resize convert write" -- "$cur")
	elif [[ $verb == disk || $verb == import ]]; then
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
	elif [[ $verb == groups || $verb == new || $verb == setup ]]; then
		:
	elif [[ ! $config ]]; then
		[[ $verb ]] && verbs=""
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -W "$verbs $(_qlaunch_names)" -- "$cur"; compgen -d -- "$cur"; compgen -f -X '!*.conf' -- "$cur")
	fi
}

complete -F _qlaunch qlaunch
