#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# mode: up
# timeout: 120
#
# Stock trace-cmd records the events and prints all their fields from the
# format alone, without a plug-in.

. "$(dirname "$0")/lib.sh"

record_and_report()
{
	local line n

	echo 0 > "$TRACE/tracing_on"
	bind "p:w $P1 threshold=5ms"
	trace-cmd record -q -N -o "$T/trace.dat" -C mono \
		-e rv:event_tlob -e rv:error_tlob -e rv:error_env_tlob \
		-e rv:detail_env_tlob -e rv:done_tlob \
		"$SEC" start sleep:20000 stop > "$T/out" 2>&1 ||
		trace-cmd record -o "$T/trace.dat" -C mono \
			-e rv:event_tlob -e rv:error_tlob -e rv:error_env_tlob \
			-e rv:detail_env_tlob -e rv:done_tlob \
			"$SEC" start sleep:20000 stop > "$T/out" 2>&1 || die "trace-cmd record: $(<"$T/out")"
	OUT=$(<"$T/out")
	trace-cmd report -N -i "$T/trace.dat" > "$T/report" 2> "$T/err"
	eq "complaints of trace-cmd" "$(grep -i 'error\|fail\|unknown\|parse' "$T/err")" ""
	matches "event_tlob" "$(grep 'event_tlob:' "$T/report" | head -n 1)" \
		"event_tlob: +$(mark start tid): running x start -> running \(final\)"
	matches "error_env_tlob" "$(grep 'error_env_tlob:' "$T/report")" \
		"error_env_tlob: +$(mark start tid): event budget_exceeded not expected in the state sleeping with env clk_elapsed=[0-9]+"
	for n in detail_env_tlob done_tlob; do
		line=$(grep "$n:" "$T/report")
		matches "$n" "$line" \
			"$n: +pid=$(mark start tid) threshold_ns=5000000 running_ns=[0-9]+ waiting_ns=[0-9]+ sleeping_ns=[0-9]+ elapsed_ns=[0-9]+ binding=w tgid=$(mark start tid) comm=section state=(running|sleeping) by=[^ ]+ waker=[^ ]+\$"
		sums_to_elapsed "$line"
	done
	# The raw fields, one by one
	trace-cmd report -N -R -i "$T/trace.dat" > "$T/raw" 2> /dev/null
	matches "raw fields of detail_env_tlob" "$(grep 'detail_env_tlob:' "$T/raw")" \
		"id=.* threshold_ns=.* running_ns=.* waiting_ns=.* sleeping_ns=.* elapsed_ns=.* binding=w.* tgid=.* comm=section.* state=sleeping.* by_pid=.* by_comm=.* waker_pid=.* waker_comm="
	matches "raw fields of error_env_tlob" "$(grep 'error_env_tlob:' "$T/raw")" \
		"id=.* state=sleeping.* event=budget_exceeded.* env=clk_elapsed="
}

# format_of EVENT: types and names of its fields, without the common ones
format_of()
{
	sed -n 's/^\tfield:\([^;]*\);.*/\1/p' "$TRACEFS/events/rv/$1/format" |
		grep -v common_ | sed 's/__data_loc //; s/\[[0-9]*\]//; s/ \([a-z_]*\)$/:\1/' | tr '\n' ' '
}

formats()
{
	local report="int:id u64:threshold_ns u64:running_ns u64:waiting_ns u64:sleeping_ns u64:elapsed_ns char:binding int:tgid char:comm char:state int:by_pid char:by_comm int:waker_pid char:waker_comm "

	eq "event_tlob" "$(format_of event_tlob | sed 's/char\[\]/char/g')" \
		"int:id char:state char:event char:next_state bool:final_state "
	eq "error_tlob" "$(format_of error_tlob)" "int:id char:state char:event "
	eq "error_env_tlob" "$(format_of error_env_tlob)" \
		"int:id char:state char:event char:env "
	eq "detail_env_tlob" "$(format_of detail_env_tlob)" "$report"
	eq "done_tlob" "$(format_of done_tlob)" "$report"
	[ ! -d "$TRACEFS/events/rv/stack_tlob" ] ||
		eq "stack_tlob" "$(format_of stack_tlob)" "int:id u32:nr unsigned long:frames "
}

# The kernel's own filters see the fields.
filters()
{
	bind "p:one $P1 threshold=5ms"
	bind "p:two $P2 threshold=5ms"
	echo 'binding == "two" && sleeping_ns > 1000000' > "$TRACE/events/rv/detail_env_tlob/filter" ||
		fail "the filter is refused"
	sec start sleep:10000 stop start2 sleep:10000 stop2
	echo 0 > "$TRACE/events/rv/detail_env_tlob/filter"
	eq "error_env_tlob events" "$(nr_events error_env_tlob)" 2
	eq "detail_env_tlob events" "$(nr_events detail_env_tlob)" 1
	eq "binding" "$(fld "$(events detail_env_tlob)" binding)" two
}

tcase record_and_report "trace-cmd record and report"
tcase formats "fields of the events, in their order"
tcase filters "event filters"
run_cases
