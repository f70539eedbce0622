# SPDX-License-Identifier: GPL-2.0-or-later
# What all bats files stand on: the tests read English, whatever the language of who runs them.
setup_suite() {
	export LC_ALL=C.UTF-8
	unset LANGUAGE
}
