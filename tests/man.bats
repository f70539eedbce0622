#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The manual, in English and in Portuguese: it is rendered with no complaint within 80 columns, and leaves out no command, option or key; the two
# READMEs say the same.

setup_file() {
	cd "$BATS_TEST_DIRNAME/.."
	local page all=()
	for page in share/man/*.scd; do page=$(basename "$page" .scd); all+=("$page" "pt_BR/$page"); done
	export pages="${all[*]}"
	make -s BUILD="${BUILD:-build}" "${all[@]/#/${BUILD:-build}/man/}" 3>&-
	mkdir "$BATS_FILE_TMPDIR/pt_BR"
	for page in "${all[@]}"; do
		LC_ALL=C.UTF-8 MANWIDTH=80 MAN_KEEP_FORMATTING='' man --warnings -l "${BUILD:-build}/man/$page" >"$BATS_FILE_TMPDIR/$page" 2>"$BATS_FILE_TMPDIR/$page.said"
	done
}
setup() {
	cd "$BATS_TEST_DIRNAME/.."
	qlaunch=$PWD/${BUILD:-build}/qlaunch dir=$BATS_FILE_TMPDIR
}

@test "no complaint, no line over 80 columns" {
	[ "$(wc -w <<<"$pages")" -ge 10 ]
	for page in $pages; do
		[ "$(wc -l <"$dir/$page")" -gt 40 ]
		cat "$dir/$page.said"; [ ! -s "$dir/$page.said" ]
		run python3 -c 'import sys; [print(l, end="") for l in open(sys.argv[1], encoding="utf-8") if len(l) > 81]' "$dir/$page"
		echo "$page: $output"; [ -z "$output" ]
	done
}

@test "Portuguese: of twenty paragraphs nineteen are translated, and each has the options of the English one" {
	local po=$BATS_TEST_TMPDIR/po page all missing
	mkdir "$po"; cp share/po/man/*.po "$po"
	make -s man-po BUILD="${BUILD:-build}" MAN_PO="$po" 3>&-
	missing=$(msgattrib --untranslated --no-wrap "$po/pt_BR.po" | grep -c '^msgid' || true)
	all=$(grep -c '^msgid' "$po/pt_BR.po")
	echo "$missing of $all paragraphs are not translated: make po-update, then share/po/man/pt_BR.po"
	[ "$all" -gt 400 ]; [ $((missing * 20)) -lt "$all" ]
	for page in $pages; do
		[[ $page == pt_BR/* ]] || python3 - "${BUILD:-build}/man/$page.scd" "${BUILD:-build}/man/pt_BR/$page.scd" <<-'PYTHON'
			import re, sys
			pages = [open(f, encoding="utf-8").read().split("\n\n") for f in sys.argv[1:]]
			options = [[sorted(re.findall(r"--[a-z]+", p)) for p in page] for page in pages]
			assert len(options[0]) == len(options[1]), f"{len(options[0])} paragraphs, {len(options[1])} in Portuguese"
			for n, (english, other) in enumerate(zip(*options)):
			    assert english == other, f"{pages[1][n]}\n{english} {other}"
		PYTHON
	done
}

@test "every command and every option is in the manual" {
	local page
	for page in qlaunch.1 pt_BR/qlaunch.1; do complete "$dir/$page"; done
}
complete() { # PAGE
	local verb options option n=0
	while read -r verb options; do
		# where it begins: "   verb" or "   verb ARGUMENT", down to the next; groff 1.24 indents by 5
		sed -n "/^ \{5,7\}$verb\( \|\$\)/,/^\$/p" "$1" | grep -q . || { echo "no $verb"; return 1; }
		for option in $options; do grep -q -- "--$option\b" "$1" || { echo "no --$option of $verb"; return 1; }; done
		n=$((n + 1))
	done < <(sed -n '/^static const struct verb verbs/,/^};/p' launcher/main.c | tr -d '\n\t' | sed 's/},/},\n/g; s/N_(\("[^"]*"\))/\1/g' |
		sed -n 's/.*{ "\([a-z]*\)", "[^"]*", "[^"]*", "\([^"\\]\|\\.\)*", *\("\([^"]*\)"\|NULL\), .*/\1 \4/p' | sed 's/\[=[^ ]*//g; s/=//g')
	[ $n -ge 19 ]
	for option in set json root quiet verbose help version; do grep -q "^ .*--$option" "$1"; done
}

@test "every key is in the manual, below its section" {
	local name section
	"$qlaunch" _keys names | sed -n 's/=$//p' >"$dir/keys"
	[ "$(wc -l <"$dir/keys")" -gt 60 ]
	for page in qlaunch.conf.5 pt_BR/qlaunch.conf.5; do
		while read -r name; do
			section=${name%%.*}
			sed -n "/^ \{3\}\[$section\]/,/^ \{3\}\[/p" "$dir/$page" | grep -q "^ *${name#*.} *=" || { echo "no $name in $page"; return 1; }
		done <"$dir/keys"
	done
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
