#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The person's language: where it is spoken, where it is not (scripts, C), and what a catalog that lags behind is told.

setup_file() {
	cd "$BATS_TEST_DIRNAME/.."
	tests/captured/capture ryzen "$BATS_FILE_TMPDIR/ryzen"
	localedef -i pt_BR -f UTF-8 "$BATS_FILE_TMPDIR/pt_BR.UTF-8"
	localedef -i en_US -f UTF-8 "$BATS_FILE_TMPDIR/en_US.UTF-8"
	localedef -i de_DE -f UTF-8 "$BATS_FILE_TMPDIR/de_DE.UTF-8"
}
setup() {
	cd "$BATS_TEST_DIRNAME/.."
	qlaunch=$PWD/${BUILD:-build}/qlaunch
	export LOCPATH=$BATS_FILE_TMPDIR XDG_RUNTIME_DIR=$BATS_TEST_TMPDIR HOME=$BATS_TEST_TMPDIR
	ryzen=$BATS_FILE_TMPDIR/ryzen
	unset LANGUAGE LC_MESSAGES LANG LC_ALL
}
speaks() { # WORD VARIABLE=VALUE...: whether --help has the word
	env "${@:2}" "$qlaunch" --help | grep -q "$1"
}

@test "the language: LC_ALL, LC_MESSAGES, LANG and LANGUAGE as gettext has them; English where there is no catalog" {
	speaks "A máquina" LC_ALL=pt_BR.UTF-8
	speaks "A máquina" LANG=en_US.UTF-8 LC_MESSAGES=pt_BR.UTF-8
	speaks "A máquina" LANG=pt_BR.UTF-8
	speaks "A máquina" LANG=en_US.UTF-8 LANGUAGE=pt_BR:en
	speaks "A máquina" LANG=de_DE.UTF-8 LANGUAGE=de:pt_BR
	speaks "The machine" LANG=pt_BR.UTF-8 LC_ALL=C
	speaks "The machine" LANG=C.UTF-8 LANGUAGE=pt_BR
	speaks "The machine" LANG=pt_BR.UTF-8 LANGUAGE=en
	speaks "The machine" LANG=de_DE.UTF-8
	speaks "The machine" LANG=pt_BR.UTF-8 LOCPATH=/nonexistent
	speaks "The machine" LANG=no_such_locale
	speaks "The machine" -u PATH
}

@test "people read Portuguese: findings, the plan, errors and their remedies; in 80 columns" {
	export LC_ALL=pt_BR.UTF-8 COLUMNS=80
	run "$qlaunch" check --root "$ryzen"
	[ "$status" -eq 0 ]
	[[ $output == *"a IOMMU está ligada: 9 grupos"*"a do host: 0a:00.0"*"Este host está pronto."* ]]
	[ "$(LC_ALL=C.UTF-8 wc -L <<<"$output")" -le 80 ]
	run "$qlaunch" plan --root "$ryzen" configs/win11.conf
	[ "$status" -eq 0 ]
	[[ $output == *"Etapas"*"uma rede da própria VM"*"vincular 0000:01:00.0 a vfio-pci"* ]]
	run "$qlaunch" plan --root "$ryzen" "$BATS_TEST_TMPDIR/none.conf"
	[ "$status" -eq 3 ]; [[ $output == "erro: "*none.conf* ]]
	printf '[vm]\nnme = x\n' >"$BATS_TEST_TMPDIR/x.conf"
	run "$qlaunch" plan "$BATS_TEST_TMPDIR/x.conf"
	[ "$status" -eq 3 ]; [[ $output == *'x.conf:2:1: chave desconhecida "nme" em [vm]; quis dizer "name"?'* ]]
	run "$qlaunch" --help
	[ "$(LC_ALL=C.UTF-8 wc -L <<<"$output")" -le 80 ]
}

@test "scripts read English: --json is the same in every language, its errors too; and so are --version and the keys" {
	for call in "plan --json --root $ryzen configs/win11.conf" "check --json --root $ryzen" "check --root $ryzen configs/win11.conf --json" \
		"groups --json --root $ryzen" "topology --json --root $ryzen" "status --json" "plan --json no-such-machine" "_keys man" --version; do
		LC_ALL=C run "$qlaunch" $call; english=$status:$output
		LC_ALL=pt_BR.UTF-8 run "$qlaunch" $call
		[ "$status:$output" = "$english" ]
	done
}

@test "no locale and no catalog is opened in C and in English" {
	for lang in C C.UTF-8 POSIX en_US.UTF-8 ""; do
		LC_ALL=$lang strace -f -o "$BATS_TEST_TMPDIR/trace" -e trace=file "$qlaunch" plan --root "$ryzen" configs/win11.conf >/dev/null
		[ -z "$(grep -E 'qlaunch\.mo|LC_MESSAGES|locale-archive' "$BATS_TEST_TMPDIR/trace")" ]
	done
	LC_ALL=pt_BR.UTF-8 strace -f -o "$BATS_TEST_TMPDIR/trace" -e trace=file "$qlaunch" plan --root "$ryzen" configs/win11.conf >/dev/null
	grep -q 'qlaunch\.mo' "$BATS_TEST_TMPDIR/trace"
}

@test "installed, the catalogs are found from where the binary is" {
	make -s install BUILD="${BUILD:-build}" DESTDIR="$BATS_TEST_TMPDIR/root" PREFIX=/usr
	[ -f "$BATS_TEST_TMPDIR/root/usr/share/locale/pt_BR/LC_MESSAGES/qlaunch.mo" ]
	LC_ALL=pt_BR.UTF-8 "$BATS_TEST_TMPDIR/root/usr/bin/qlaunch" --help | grep -q "A máquina"
}

@test "a catalog that lags behind fails the check, with the text, the file and the remedy; other conversions fail too" {
	make -s pot BUILD="${BUILD:-build}"
	pot=$BATS_TEST_TMPDIR/pot
	cp "${BUILD:-build}/qlaunch.pot" "$pot"
	tests/po "$pot" share/po/*.po
	printf '\n#: launcher/x.c\nmsgid "a new text"\nmsgstr ""\n' >>"$pot"
	run tests/po "$pot" share/po/pt_BR.po
	[ "$status" -eq 1 ]; [[ $output == *"launcher/x.c"*"a new text"*"make po-update"* ]]
	sed 's/^msgstr "%s: o convidado está no ar"/msgstr "%d: o convidado está no ar"/' share/po/pt_BR.po >"$BATS_TEST_TMPDIR/wrong.po"
	run tests/po "${BUILD:-build}/qlaunch.pot" "$BATS_TEST_TMPDIR/wrong.po"
	[ "$status" -eq 1 ]; [[ $output == *"format specification"* ]]
}

@test "a text for people that nothing translates is named" {
	cat >"$BATS_TEST_TMPDIR/x.c" <<-'C'
		void f(void) {
			findings_add(f, FINDING_BAD, "x", str_fmt("the card %s is gone", card), tr_dup("plug it in"));
			root_write(r, "not for people at all");
			strv_add(&v, str_fmt("sudo modprobe %s", name));
			printf("%s is ready now\n", name);
		}
	C
	run tests/po --unmarked "$BATS_TEST_TMPDIR/x.c"
	[ "$status" -eq 1 ]; [ "${#lines[@]}" -eq 2 ]
	[[ ${lines[0]} == *'x.c:2: "the card %s is gone"' ]]; [[ ${lines[1]} == *'x.c:5: "%s is ready now\n"' ]]
}
