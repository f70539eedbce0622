#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The manual: it is rendered with no complaint within 80 columns, and leaves out no command, option or key; the two READMEs say the same.

setup_file() {
	cd "$BATS_TEST_DIRNAME/.."
	make -s BUILD="${BUILD:-build}" "${BUILD:-build}"/man/{qlaunch.1,qlaunch.conf.5} 3>&-
	for page in qlaunch.1 qlaunch.conf.5; do
		MANWIDTH=80 MAN_KEEP_FORMATTING='' man --warnings -l "${BUILD:-build}/man/$page" >"$BATS_FILE_TMPDIR/$page" 2>"$BATS_FILE_TMPDIR/$page.said"
	done
}
setup() {
	cd "$BATS_TEST_DIRNAME/.."
	qlaunch=$PWD/${BUILD:-build}/qlaunch dir=$BATS_FILE_TMPDIR
}

@test "no complaint, no line over 80 columns" {
	for page in qlaunch.1 qlaunch.conf.5; do
		[ "$(wc -l <"$dir/$page")" -gt 200 ]
		cat "$dir/$page.said"; [ ! -s "$dir/$page.said" ]
		run grep -E '.{81}' "$dir/$page" # mawk counts bytes
		echo "$output"; [ "$status" -eq 1 ]
	done
}

@test "every command and every option is in the manual" {
	local verb options option n=0
	while read -r verb options; do
		# where it begins: "   verb" or "   verb ARGUMENT", down to the next; groff 1.24 indents by 5
		sed -n "/^ \{5,7\}$verb\( \|\$\)/,/^\$/p" "$dir/qlaunch.1" | grep -q . || { echo "no $verb"; return 1; }
		for option in $options; do grep -q -- "--$option\b" "$dir/qlaunch.1" || { echo "no --$option of $verb"; return 1; }; done
		n=$((n + 1))
	done < <(sed -n '/^static const struct verb verbs/,/^};/p' launcher/main.c | tr -d '\n\t' | sed 's/},/},\n/g; s/N_(\("[^"]*"\))/\1/g' |
		sed -n 's/.*{ "\([a-z]*\)", "[^"]*", "[^"]*", "\([^"\\]\|\\.\)*", *\("\([^"]*\)"\|NULL\), .*/\1 \4/p' | sed 's/\[=[^ ]*//g; s/=//g')
	[ $n -ge 19 ]
	for option in set json root quiet verbose help version; do grep -q "^ .*--$option" "$dir/qlaunch.1"; done
}

@test "every key is in the manual, below its section" {
	local name section
	"$qlaunch" _keys names | sed -n 's/=$//p' >"$dir/keys"
	[ "$(wc -l <"$dir/keys")" -gt 60 ]
	while read -r name; do
		section=${name%%.*}
		sed -n "/^ \{3\}\[$section\]/,/^ \{3\}\[/p" "$dir/qlaunch.conf.5" | grep -q "^ *${name#*.} *=" || { echo "no $name"; return 1; }
	done <"$dir/keys"
}

@test "README.pt-BR.md: as many sections, the same commands and the same figures" {
	# code but its remarks, and figures with a point
	facts() {
		sed -n 's/^    \(make\|qlaunch\|sudo\) \?/\1 /p' "$1" | sed 's/  .*//'
		sed -n '/^    \[vm\]/,/^[^ ]/p' "$1" | sed -n 's/^    \([^#].*\)/\1/p'
		grep -oE '[0-9]+([.,][0-9]+)?( ms| MiB| columns|$)|20[0-9]{2}-[0-9]{2}-[0-9]{2}|`[^`]*`' "$1" | tr ',' '.' | sed 's/…//' | sort -u
	}
	[ "$(grep -c '^#' README.md)" -eq "$(grep -c '^#' README.pt-BR.md)" ]
	[ "$(facts README.md | wc -l)" -gt 60 ]
	# one paragraph, of the language, is of the second alone
	diff <(facts README.md) <(facts README.pt-BR.md | grep -v -e pt_BR.UTF-8 -e "^.--json.$")
}
