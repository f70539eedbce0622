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
	for d in /run/qlaunch/*/journal "${XDG_RUNTIME_DIR:-/nonexistent}"/qlaunch/*/journal "/run/user/$UID/qlaunch"/*/journal; do
		[[ -e $d ]] && d=${d%/journal} && printf '%s\n' "${d##*/}"
	done
}

# The examples that are beside this qlaunch.
_qlaunch_examples() {
	local f program
	program=$(readlink -f "$(type -P qlaunch)") || return
	for f in "${program%/*}"/../{share/doc/qlaunch/examples,configs}/*.conf; do
		[[ -e $f ]] && f=${f##*/} && printf '%s\n' "${f%.conf}"
	done
}

# The graphics cards of this host.
_qlaunch_cards() {
	local f class
	for f in /sys/bus/pci/devices/*/class; do
		[[ -e $f ]] && read -r class <"$f" && [[ $class == 0x03* ]] && f=${f%/class} && printf '%s\n' "${f##*/}"
	done
}

# What may follow --set, for the word so far and the configuration of the line (may be empty).
_qlaunch_sets() {
	local line
	qlaunch _keys names ${2:+"$2"} 2>/dev/null | while IFS= read -r line; do
		[[ $line == "$1"* && ( $1 == *=* || $line == *= ) ]] && printf '%s\n' "${line// /\\ }"
	done
}

_qlaunch_options() { # VERB
	case $1 in
	run) echo --install --drivers --unattended --account --edition --password-file --yes ;;
	check) echo --html ;;
	clone) echo --tpm ;;
	remove) echo --yes --keep-disks ;;
	new) echo --iso --yes --gpu --from --output ;;
	import) echo --output --copy-state --check ;;
	fetch) echo --from --output --sha256 --again ;;
	export) echo --libvirt --sh ;;
	desktop) echo --remove ;;
	disk) echo --format --from --backing --full --compress --drop --shrink --yes ;;
	setup) echo --undo --yes --gpu ;;
	topology) echo --svg ;;
	input) echo --seconds ;;
	monitors) echo --try --back ;;
	bench) echo --force --output --redo ;;
	top) echo --once --interval ;;
	stop) echo --now --kill --agent ;;
	cdrom) echo --force ;;
	forward) echo --remove ;;
	exec) echo --timeout ;;
	restore) echo --forget --wait ;;
	esac
	echo --set --json --root --quiet --verbose --help --version
}

_qlaunch_files() { # WORD [PATTERN]...: folders, and files of these patterns
	local pattern
	compopt -o filenames
	if (($# == 1)); then mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -f -- "$1"); return; fi
	mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -d -- "$1"; for pattern in "${@:2}"; do compgen -f -X "!$pattern" -- "$1"; done)
}

_qlaunch_offer() { # WORD WORDS
	mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -W "$2" -- "$1")
}

# What stands after an option that wants a value; false: OPTION is none of these.
_qlaunch_value() { # OPTION WORD VERB CONFIG
	case $1 in
	--set)
		mapfile -t COMPREPLY < <(_qlaunch_sets "$2" "$4")
		compopt -o nospace
		if [[ $2 == *=* ]]; then COMPREPLY=("${COMPREPLY[@]#*=}"); fi ;; # bash completes what stands after the "="
	--format) _qlaunch_offer "$2" "qcow2 raw" ;;
	--from)
		[[ $3 != fetch ]] || return 0
		if [[ $3 == disk ]]; then _qlaunch_offer "$2" "qcow2 raw"; return 0; fi
		_qlaunch_offer "$2" "$(_qlaunch_examples)"
		_qlaunch_files "$2" '*.conf' ;;
	--gpu) _qlaunch_offer "$2" "none $(_qlaunch_cards)" ;;
	--install | --drivers | --iso) _qlaunch_files "$2" '*.[iI][sS][oO]' ;;
	--edition) _qlaunch_offer "$2" "home pro education enterprise workstations pro-education" ;;
	--tpm) _qlaunch_offer "$2" "copy new" ;;
	--redo) _qlaunch_offer "$2" failed ;;
	--output | --backing | --password-file) _qlaunch_files "$2" ;;
	--root) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$2") ;;
	--seconds | --interval | --timeout | --try | --back | --sha256 | --account) ;;
	*) return 1 ;;
	esac
	return 0
}

# What stands after the verb: it is the NUMBERth word.
_qlaunch_word() { # VERB NUMBER WORD BEFORE
	case $1:$2 in
	run:1 | plan:1 | check:1 | desktop:1 | export:1 | switch:1 | topology:1 | edit:1 | clone:1 | rename:1 | remove:1 | autostart:1 | log:1) _qlaunch_offer "$3" "$(_qlaunch_names)"; _qlaunch_files "$3" '*.conf' ;;
	cdrom:2 | cdrom:3) _qlaunch_offer "$3" eject; _qlaunch_files "$3" '*.[iI][sS][oO]' ;;
	capture:1) _qlaunch_files "$3" '*.tar*' ;;
	capture:*) _qlaunch_offer "$3" "$(_qlaunch_names)"; _qlaunch_files "$3" '*.conf' ;;
	screenshot:2) _qlaunch_files "$3" '*.png' ;;
	autostart:2) _qlaunch_offer "$3" "on off" ;;
	switch:2) _qlaunch_offer "$3" "guest host" ;;
	status:1 | top:1 | console:1 | stop:1 | restore:1 | pause:1 | resume:1 | reset:1 | reboot:1 | cdrom:1 | forward:1 | screenshot:1 | key:1 | exec:1 | ssh:1) _qlaunch_offer "$3" "$(_qlaunch_machines)" ;;
	fetch:1) _qlaunch_offer "$3" virtio-win ;;
	import:1) _qlaunch_files "$3" '*.xml' '*.conf' ;;
	bench:1) _qlaunch_offer "$3" "report compare submit gather"; _qlaunch_files "$3" ;;
	bench:*) _qlaunch_files "$3" ;;
	disk:1) _qlaunch_offer "$3" "create list snapshot revert delete resize convert write" ;;
	disk:*)
		[[ ( $2 == 2 && $4 != create && $4 != write ) || $4 == list ]] && _qlaunch_offer "$3" "$(_qlaunch_names)"
		_qlaunch_files "$3" ;;
	esac
}

_qlaunch() {
	local verbs="run plan check new import export desktop disk fetch list edit clone rename remove autostart log capture setup groups topology input monitors bench status top console switch stop pause resume reset reboot cdrom forward screenshot key exec ssh restore"
	local line=${COMP_LINE:0:COMP_POINT} words verb="" config="" before="" count=0 word i skip=""
	# "=" ends a word for bash, so the words are taken from the line; read leaves a blank behind a backslash inside its word
	read -a words <<<"$line"
	[[ $line == *[[:space:]] && $line != *\\[[:space:]] ]] && words+=("")
	local cur=${words[-1]} last=$((${#words[@]} - 1)) prev=""
	((last > 0)) && prev=${words[last - 1]}
	for ((i = 1; i < last; i++)); do
		word=${words[i]}
		if [[ $skip ]]; then skip=""; continue; fi
		case $word in
		--set | --root | --gpu | --from | --output | --format | --backing | --tpm | --install | --drivers | --try | --back | --seconds | --interval | --timeout | --sha256 | --iso | --account | --edition | --password-file) skip=yes ;;
		-*) ;;
		*)
			if [[ ! $verb && " $verbs " == *" $word "* ]]; then verb=$word; continue; fi
			verb=${verb:-run} config=${config:-$word}
			[[ $before ]] || before=$word
			count=$((count + 1)) ;;
		esac
	done
	COMPREPLY=()
	# --OPTION=VALUE, too
	[[ $cur == --*=* ]] && prev=${cur%%=*} cur=${cur#*=}
	if ! _qlaunch_value "$prev" "$cur" "$verb" "$config"; then
		if [[ $cur == -* ]]; then
			_qlaunch_offer "$cur" "$(_qlaunch_options "$verb")"
		elif [[ $verb ]]; then
			_qlaunch_word "$verb" $((count + 1)) "$cur" "$before"
		else
			_qlaunch_offer "$cur" "$verbs"
			_qlaunch_word run 1 "$cur" ""
		fi
	fi
}

complete -F _qlaunch qlaunch
