# SPDX-License-Identifier: GPL-2.0-or-later
# fish completion for qlaunch; installed in share/fish/vendor_completions.d

set -g __qlaunch_verbs run plan check new import export desktop disk fetch list edit clone rename remove autostart log capture setup groups topology input monitors bench status top console switch stop pause resume reset reboot cdrom forward screenshot key exec ssh restore

# The words of the line before the one that is completed, without options and their values; a configuration alone is run's.
function __qlaunch_words
	set -l skip
	set -l words
	for word in (commandline -opc)[2..]
		if set -q skip[1]
			set -e skip
		else if string match -qr '^--(set|root|gpu|from|output|format|backing|tpm|install|drivers|try|seconds|interval|timeout|sha256|iso|account|edition|password-file)$' -- $word
			set skip yes
		else if not string match -q -- '-*' $word
			if not set -q words[1]; and not contains -- $word $__qlaunch_verbs
				set -a words run
			end
			set -a words $word
		end
	end
	printf '%s\n' $words
end

function __qlaunch_first
	test -z "$(__qlaunch_words)"
end

function __qlaunch_verb # VERB...
	contains -- (__qlaunch_words)[1] $argv
end

function __qlaunch_second # VERB...: what is completed is the first word after one of these
	set -l words (__qlaunch_words)
	test (count $words) -eq 1; and contains -- $words[1] $argv
end

function __qlaunch_third # VERB WORD...: after one of these words of the verb
	set -l words (__qlaunch_words)
	test (count $words) -eq 2; and test $words[1] = $argv[1]; and contains -- $words[2] $argv[2..]
end

function __qlaunch_files # a PATTERN of how their names end
	__fish_complete_suffix $argv[2] | string match -r "^[^\t]*(?:/|$argv[1])(?:\t.*)?\$"
end

function __qlaunch_names
	for f in ~/.config/qlaunch/*.conf /etc/qlaunch/*.conf
		string replace -r '.*/(.*)\.conf$' '$1' -- $f
	end
end

function __qlaunch_configs
	__qlaunch_names
	__qlaunch_files '\.conf' .conf
end

# Running machines, and those that left something behind.
function __qlaunch_machines
	for f in /run/qlaunch/*/journal $XDG_RUNTIME_DIR/qlaunch/*/journal /run/user/(id -u)/qlaunch/*/journal
		string replace -r '.*/([^/]*)/journal$' '$1' -- $f
	end
end

# The examples that are beside this qlaunch.
function __qlaunch_examples
	set -l dir (string replace -r '/[^/]*$' '' -- (realpath (command -s qlaunch)))
	for f in $dir/../share/doc/qlaunch/examples/*.conf $dir/../configs/*.conf
		string replace -r '.*/(.*)\.conf$' '$1' -- $f
	end
	__qlaunch_files '\.conf' .conf
end

# The graphics cards of this host.
function __qlaunch_cards
	echo none
	for f in /sys/bus/pci/devices/*/class
		string match -q '0x03*' <$f; and string replace -r '.*/([^/]*)/class$' '$1' -- $f
	end
end

# What may follow --set, with the sections of the configuration that stands on the line: keys first, words once a key stands there.
function __qlaunch_sets
	set -l all (qlaunch _keys names (__qlaunch_words)[2] 2>/dev/null)
	if string match -q '*=*' -- (string replace -r '^--set=' '' -- (commandline -ct))
		printf '%s\n' $all
	else
		string match '*=' -- $all
	end
end

function __qlaunch_option # VERB NAME DESCRIPTION [MORE]
	complete -c qlaunch -n "__qlaunch_verb $argv[1]" -l $argv[2] -d $argv[3] $argv[4..]
end

complete -c qlaunch -f

complete -c qlaunch -n __qlaunch_first -a run -d 'Run the guest, give the host back'
complete -c qlaunch -n __qlaunch_first -a plan -d 'What run would do, and why'
complete -c qlaunch -n __qlaunch_first -a check -d 'Can this host run it?'
complete -c qlaunch -n __qlaunch_first -a new -d 'Propose a configuration from this host'
complete -c qlaunch -n __qlaunch_first -a import -d 'A domain of libvirt or a quickemu .conf'
complete -c qlaunch -n __qlaunch_first -a export -d "A machine as libvirt's XML or a script"
complete -c qlaunch -n __qlaunch_first -a desktop -d "An entry in the desktop's menu"
complete -c qlaunch -n __qlaunch_first -a disk -d 'Images and disks'
complete -c qlaunch -n __qlaunch_first -a fetch -d 'The disc of drivers for Windows'
complete -c qlaunch -n __qlaunch_first -a list -d 'What machines there are'
complete -c qlaunch -n __qlaunch_first -a edit -d 'In your editor, checked'
complete -c qlaunch -n __qlaunch_first -a clone -d 'A copy that is a machine of its own'
complete -c qlaunch -n __qlaunch_first -a rename -d 'Another name'
complete -c qlaunch -n __qlaunch_first -a remove -d 'A machine and its disks'
complete -c qlaunch -n __qlaunch_first -a autostart -d 'Started by systemd: on or off'
complete -c qlaunch -n __qlaunch_first -a log -d 'The last ten runs'
complete -c qlaunch -n __qlaunch_first -a setup -d 'Make this host ready for good'
complete -c qlaunch -n __qlaunch_first -a capture -d 'What check and plan read here, for a report'
complete -c qlaunch -n __qlaunch_first -a groups -d 'IOMMU groups, and which can be passed'
complete -c qlaunch -n __qlaunch_first -a topology -d 'Cores and caches as a picture'
complete -c qlaunch -n __qlaunch_first -a input -d 'Keyboards and mice'
complete -c qlaunch -n __qlaunch_first -a monitors -d 'Monitors and their inputs'
complete -c qlaunch -n __qlaunch_first -a bench -d 'Variants of a machine, compared'
complete -c qlaunch -n __qlaunch_first -a status -d 'What runs, and what was left behind'
complete -c qlaunch -n __qlaunch_first -a top -d 'What a machine gets and what disturbs it, live'
complete -c qlaunch -n __qlaunch_first -a console -d 'The serial console'
complete -c qlaunch -n __qlaunch_first -a switch -d 'Its monitors: guest or host'
complete -c qlaunch -n __qlaunch_first -a stop -d 'Press the power button'
complete -c qlaunch -n __qlaunch_first -a pause -d "It stands still"
complete -c qlaunch -n __qlaunch_first -a resume -d "It goes on"
complete -c qlaunch -n __qlaunch_first -a reset -d "As by the reset button"
complete -c qlaunch -n __qlaunch_first -a reboot -d "By the guest's agent"
complete -c qlaunch -n __qlaunch_first -a cdrom -d "Another disc, or eject"
complete -c qlaunch -n __qlaunch_first -a forward -d "A port of this host to the guest's"
complete -c qlaunch -n __qlaunch_first -a screenshot -d "Its virtual display"
complete -c qlaunch -n __qlaunch_first -a key -d "On its virtual keyboard"
complete -c qlaunch -n __qlaunch_first -a exec -d "A program in the guest"
complete -c qlaunch -n __qlaunch_first -a ssh -d "Into the guest"
complete -c qlaunch -n __qlaunch_first -a restore -d 'Undo what a dead launcher left'

complete -c qlaunch -n __qlaunch_first -a '(__qlaunch_configs)'
complete -c qlaunch -n '__qlaunch_second run plan check desktop export switch topology edit clone rename remove autostart log' -a '(__qlaunch_configs)'
complete -c qlaunch -n '__qlaunch_second status top console stop restore pause resume reset reboot cdrom forward screenshot key exec ssh' -a '(__qlaunch_machines)'
complete -c qlaunch -n '__qlaunch_verb capture; and not __qlaunch_second capture' -a '(__qlaunch_configs)'
complete -c qlaunch -n '__qlaunch_second capture' -F
complete -c qlaunch -n '__qlaunch_second import' -a "(__qlaunch_files '\.(?:xml|conf)' .xml)"
complete -c qlaunch -n '__qlaunch_second disk' -a 'create list snapshot revert delete resize convert write'
complete -c qlaunch -n '__qlaunch_third disk list snapshot revert delete resize convert' -a '(__qlaunch_names)'
complete -c qlaunch -n '__qlaunch_verb disk; and not __qlaunch_second disk' -F
complete -c qlaunch -n '__qlaunch_second fetch' -a virtio-win
complete -c qlaunch -n '__qlaunch_second bench' -a 'report compare submit gather'
complete -c qlaunch -n '__qlaunch_verb bench' -F
complete -c qlaunch -n 'test (count (__qlaunch_words)) -eq 2; and __qlaunch_verb switch' -a 'guest host'
complete -c qlaunch -n 'test (count (__qlaunch_words)) -eq 2; and __qlaunch_verb autostart' -a 'on off'

__qlaunch_option run install 'An installer' -x -a "(__qlaunch_files '\.[iI][sS][oO]' .iso)"
__qlaunch_option run drivers 'Drivers for it' -x -a "(__qlaunch_files '\.[iI][sS][oO]' .iso)"
__qlaunch_option run unattended 'Nothing is asked'
__qlaunch_option run account 'The first user' -x
__qlaunch_option run edition 'Of Windows' -x -a 'home pro education enterprise workstations pro-education'
__qlaunch_option run password-file 'Its first line is the password' -r -F
__qlaunch_option run yes 'The disk is wiped whatever is on it'
__qlaunch_option check html 'One page of HTML'
__qlaunch_option new iso 'An installer' -x -a "(__qlaunch_files '\.[iI][sS][oO]' .iso)"
__qlaunch_option new yes 'No question'
__qlaunch_option new gpu 'The card for the guest' -x -a '(__qlaunch_cards)'
__qlaunch_option new from 'An example' -x -a '(__qlaunch_examples)'
__qlaunch_option new output 'The file to write' -r -F
__qlaunch_option import output 'The file to write' -r -F
__qlaunch_option import copy-state 'Copy UEFI variables, TPM state and disk'
__qlaunch_option import check 'End with what this host lacks'
__qlaunch_option fetch from 'Another address' -x
__qlaunch_option fetch output 'The file to write' -r -F
__qlaunch_option fetch sha256 'What it must have' -x
__qlaunch_option fetch again 'Also where it is there'
__qlaunch_option export libvirt 'As domain XML'
__qlaunch_option export sh 'As a shell script'
__qlaunch_option desktop remove 'Take the entry away'
__qlaunch_option disk format 'Of what format the image is' -x -a 'qcow2 raw'
__qlaunch_option disk from 'convert: of what format the source is' -x -a 'qcow2 raw'
__qlaunch_option disk backing 'create: the image below' -r -F
__qlaunch_option disk full 'create: take all space now'
__qlaunch_option disk compress 'convert: a smaller copy'
__qlaunch_option disk drop 'revert: do not keep what is there'
__qlaunch_option disk shrink 'resize: smaller'
__qlaunch_option disk yes 'write: no question'
__qlaunch_option clone tpm "The TPM's state" -x -a 'copy new'
__qlaunch_option remove yes 'No question'
__qlaunch_option remove keep-disks 'The images stay'
__qlaunch_option setup undo 'Put every file back'
__qlaunch_option setup yes 'No question'
__qlaunch_option setup gpu 'The card to bind early' -x -a '(__qlaunch_cards)'
__qlaunch_option topology svg 'As SVG'
__qlaunch_option input seconds 'How long it listens' -x
__qlaunch_option monitors try 'This input for 5 s' -x
__qlaunch_option monitors back 'The input to come back to' -x
__qlaunch_option bench force 'compare: other machines, too'
__qlaunch_option bench output 'The file to write' -r -F
__qlaunch_option bench redo 'Make again what failed'
__qlaunch_option top once 'One interval, as text'
__qlaunch_option top interval 'Seconds' -x
__qlaunch_option stop now 'End QEMU at once'
__qlaunch_option stop kill 'Kill it'
__qlaunch_option stop agent "By the guest's agent"
__qlaunch_option cdrom force 'Also where the guest has locked it'
__qlaunch_option forward remove 'No longer'
__qlaunch_option exec timeout 'Seconds' -x
complete -c qlaunch -n 'test (count (__qlaunch_words)) -ge 2; and __qlaunch_verb cdrom' -a "eject (__qlaunch_files '\.[iI][sS][oO]' .iso)"
complete -c qlaunch -n 'test (count (__qlaunch_words)) -eq 2; and __qlaunch_verb screenshot' -F
__qlaunch_option restore forget 'Of what cannot be put back'
__qlaunch_option restore wait 'Until nothing is left'

complete -c qlaunch -l set -x -a '(__qlaunch_sets)' -d 'Set a key for this run'
complete -c qlaunch -l json -d 'Answer in JSON'
complete -c qlaunch -l root -x -a '(__fish_complete_directories)' -d 'A captured machine'
complete -c qlaunch -s q -l quiet -d 'Warnings and errors only'
complete -c qlaunch -s v -l verbose -d 'Each step as it is done'
complete -c qlaunch -s h -l help -d 'What there is'
complete -c qlaunch -l version -d 'The version'
