#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# mode: up
# timeout: 120
#
# stack_tlob: where a task that overran is asleep, by name. On kernels that do
# not export what it takes, there is none, and all else is as ever.

. "$(dirname "$0")/lib.sh"

# What the running kernel exports, not what some header says
exported()
{
	grep -q ' __ksymtab_stack_trace_save_tsk' /proc/kallsyms
}

trace_stacks()
{
	record "${EV_REPORTS[@]}"
	if [ -d "$TRACE/events/rv/stack_tlob" ]; then
		echo 1 > "$TRACE/events/rv/stack_tlob/enable"
	else
		exported && die "no event stack_tlob"
	fi
}

# stack_has REGEX: one stack, right behind the two other events, with this in it
stack_has()
{
	local stack id

	check_reports 1
	if ! exported; then
		eq "stack_tlob events" "$(nr_events stack_tlob)" 0
		skip "this kernel does not export stack_trace_save_tsk"
	fi
	stack=$(events stack_tlob)
	eq "stack_tlob events" "$(nr_events stack_tlob)" 1
	diag "${stack##*stack_tlob: }"
	eq "order of the events" "$(grep -o '[a-z_]*_tlob: ' "$TRACE/trace" | tr -d ' ' | xargs)" \
		"error_env_tlob: detail_env_tlob: stack_tlob: done_tlob:"
	id=$(fld "$(events detail_env_tlob)" pid)
	matches "stack" "$stack" "stack_tlob: $id: "
	matches "stack" "$stack" "$1"
}

futex()
{
	trace_stacks
	bind "p:w $P1 threshold=5ms"
	sec start futex:30000 stop
	stack_has ' (__)?futex_wait[a-z_]*[+]0x[0-9a-f]+/0x'
}

pipe()
{
	trace_stacks
	bind "p:w $P1 threshold=5ms"
	sec start pipe:30000 stop
	stack_has ' (anon_)?pipe_(read|wait)[a-z_]*[+]0x'
}

nanosleep()
{
	trace_stacks
	bind "p:w $P1 threshold=5ms"
	sec start sleep:30000 stop
	stack_has ' (do|hrtimer)_nanosleep[+]0x'
}

disk()
{
	trace_stacks
	slow_disk_read
	stack_has ' (blkdev_|__blkdev_|blk_io_|io_)[a-z_]*[A-Za-z_]*[+]0x'
}

device()
{
	trace_stacks
	"$BIN/dev" open:a start:a:5000000 sleep:30000 stop:a > /dev/null
	stack_has ' (do|hrtimer)_nanosleep[+]0x'
}

# On the CPU there is nothing to unwind.
running()
{
	trace_stacks
	bind "p:w $P1 threshold=5ms"
	sec fifo:70 start busy:15000 stop
	check_reports 1
	eq "stack_tlob events" "$(nr_events stack_tlob)" 0
}

# A deep stack is cut at 16 frames.
frames()
{
	local stack

	trace_stacks
	bind "p:w $P1 threshold=5ms"
	sec start sleep:30000 stop start futex:30000 stop start pipe:30000 stop
	check_reports 3
	exported || skip "this kernel does not export stack_trace_save_tsk"
	eq "stack_tlob events" "$(nr_events stack_tlob)" 3
	while IFS= read -r stack; do
		between "nr" "$(fld "$stack" nr)" 3 16
		eq "frames" "$(grep -o '[+]0x' <<< "$stack" | grep -c .)" "$(fld "$stack" nr)"
	done <<< "$(events stack_tlob)"
}

tcase futex "asleep in a futex"
tcase pipe "asleep in a pipe read"
tcase nanosleep "asleep in nanosleep"
tcase disk "asleep in a disk read"
tcase device "a window of the device"
tcase running "none while running"
tcase frames "the number of frames"
run_cases
