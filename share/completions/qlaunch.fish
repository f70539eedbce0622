# SPDX-License-Identifier: GPL-2.0-or-later
# fish completion for qlaunch; installed in share/fish/vendor_completions.d

set -l verbs run plan check new import disk desktop desktop switch setup groups monitors bench status top console stop restore

function __qlaunch_configs
	for f in ~/.config/qlaunch/*.conf /etc/qlaunch/*.conf
		string replace -r '.*/(.*)\.conf$' '$1' -- $f
	end
	__fish_complete_suffix .conf
end

function __qlaunch_machines
	for f in /run/qlaunch/*/journal $XDG_RUNTIME_DIR/qlaunch/*/journal
		string replace -r '.*/([^/]*)/journal$' '$1' -- $f
	end
end

# What may follow --set, with the sections of the configuration that stands on the line.
function __qlaunch_sets
	qlaunch _keys names (string match -r -- '.*\.conf$' (commandline -opc))[1] 2>/dev/null
end

complete -c qlaunch -f
complete -c qlaunch -n "not __fish_seen_subcommand_from $verbs" -a run -d 'Run the guest, give the host back'
complete -c qlaunch -n "not __fish_seen_subcommand_from $verbs" -a plan -d 'What run would do, and why'
complete -c qlaunch -n "not __fish_seen_subcommand_from $verbs" -a check -d 'Can this host run it?'
complete -c qlaunch -n "not __fish_seen_subcommand_from $verbs" -a new -d 'Propose a configuration from this host'
complete -c qlaunch -n "not __fish_seen_subcommand_from $verbs" -a import -d 'A domain of libvirt or a quickemu .conf'
complete -c qlaunch -n "not __fish_seen_subcommand_from $verbs" -a setup -d 'Make this host ready for good'
complete -c qlaunch -n "not __fish_seen_subcommand_from $verbs" -a groups -d 'IOMMU groups, and which can be passed'
complete -c qlaunch -n "not __fish_seen_subcommand_from $verbs" -a disk -d 'Images and disks'
complete -c qlaunch -n "not __fish_seen_subcommand_from $verbs" -a desktop -d 'An entry in the desktop\'s menu'
complete -c qlaunch -n "not __fish_seen_subcommand_from $verbs" -a monitors -d 'Monitors and their inputs'
complete -c qlaunch -n "not __fish_seen_subcommand_from $verbs" -a top -d 'What a machine gets and what disturbs it, live'
complete -c qlaunch -n "__fish_seen_subcommand_from top" -l once -d 'One interval, as text'
complete -c qlaunch -n "__fish_seen_subcommand_from top" -l interval -x -d 'Seconds'
complete -c qlaunch -n "not __fish_seen_subcommand_from $verbs" -a bench -d 'Variants of a machine, compared'
complete -c qlaunch -n "not __fish_seen_subcommand_from $verbs" -a console -d 'The serial console'
complete -c qlaunch -n "not __fish_seen_subcommand_from $verbs" -a status -d 'What runs, and what was left behind'
complete -c qlaunch -n "not __fish_seen_subcommand_from $verbs" -a stop -d 'Press the power button'
complete -c qlaunch -n "not __fish_seen_subcommand_from $verbs" -a restore -d 'Undo what a dead launcher left'
complete -c qlaunch -n "not __fish_seen_subcommand_from new import disk setup groups monitors bench status top console stop restore" -a '(__qlaunch_configs)'
complete -c qlaunch -n "__fish_seen_subcommand_from status top console stop restore" -a '(__qlaunch_machines)'
complete -c qlaunch -l set -x -a '(__qlaunch_sets)' -d 'Set a key for this run'
complete -c qlaunch -l json -d 'Answer in JSON'
complete -c qlaunch -l install -r -F -d 'run: an installer'
complete -c qlaunch -l drivers -r -F -d 'run: drivers for it'
complete -c qlaunch -l try -x -d 'monitors: this input for 5 s'
complete -c qlaunch -l html -d 'check: one page of HTML'
complete -c qlaunch -n '__fish_seen_subcommand_from import' -F
set -l disk create list snapshot revert delete resize convert write
complete -c qlaunch -n "__fish_seen_subcommand_from disk; and not __fish_seen_subcommand_from $disk" -a "$disk"
complete -c qlaunch -n '__fish_seen_subcommand_from disk' -F
complete -c qlaunch -l format -x -a 'qcow2 raw' -d 'disk: of what format an image is'
complete -c qlaunch -l backing -r -F -d 'disk create: the image below'
complete -c qlaunch -l full -d 'disk create: take all space now'
complete -c qlaunch -l compress -d 'disk convert: a smaller copy'
complete -c qlaunch -l drop -d 'disk revert: do not keep what is there'
complete -c qlaunch -l shrink -d 'disk resize: smaller'
complete -c qlaunch -n "not __fish_seen_subcommand_from $verbs" -a desktop -d "An entry in the desktop's menu"
complete -c qlaunch -n "not __fish_seen_subcommand_from $verbs" -a switch -d 'Its monitors: guest or host'
complete -c qlaunch -l remove -d 'desktop: take the entry away'
complete -c qlaunch -l undo -d 'setup: put every file back'
complete -c qlaunch -l gpu -x -d 'setup: the card to bind early'
complete -c qlaunch -l yes -d 'new, setup: no question'
complete -c qlaunch -l from -r -F -d 'new: an example'
complete -c qlaunch -l output -r -F -d 'new, import, bench: the file to write'
complete -c qlaunch -n '__fish_seen_subcommand_from bench' -a 'report compare submit gather'
complete -c qlaunch -n '__fish_seen_subcommand_from bench' -F
complete -c qlaunch -l force -d 'bench compare: other machines, too'
complete -c qlaunch -l root -r -F -d 'A captured machine'
complete -c qlaunch -s q -l quiet -d 'Warnings and errors only'
complete -c qlaunch -s v -l verbose -d 'Each step as it is done'
complete -c qlaunch -s h -l help -d 'What there is'
complete -c qlaunch -l version -d 'The version'
