#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# mode: up
# timeout: 300
#
# In budget silent, over budget reported once, in time, and the time charged to
# what the task really did: running, waiting for the CPU, sleeping.

. "$(dirname "$0")/lib.sh"

in_budget_is_silent()
{
	bind "p:w $P1 threshold=20ms"
	sec fifo:10 start busy:2000 sleep:5000 stop loop:5 { start stop }
	eq "reports" "$(grep -c tlob: "$TRACE/trace")" 0
	stats_are w started=6 stopped=6 violations=0 anomalies=0
	# The longest took what the program did, and the marks a few us.
	between "max_ns" "$(stat_of w max_ns)" 7000000 8500000
	between "min_ns" "$(stat_of w min_ns)" 1 100000
}

# one_report THRESHOLD: exactly one window, over budget; sets D (detail), N (done)
one_report()
{
	check_reports 1
	D=$(events detail_env_tlob)
	N=$(events done_tlob)
	eq "done_tlob events" "$(nr_events done_tlob)" 1
	eq "threshold_ns" "$(fld "$D" threshold_ns)" "$1"
	eq "threshold_ns of done" "$(fld "$N" threshold_ns)" "$1"
	eq "binding" "$(fld "$D" binding)" w
	eq "binding of done" "$(fld "$N" binding)" w
	eq "pid" "$(fld "$D" pid)" "$(mark start tid)"
	eq "tgid" "$(fld "$D" tgid)" "$(mark start tid)"
	eq "comm" "$(fld "$D" comm)" section
	stats_are w started=1 stopped=1 violations=1

	# The totals of done are what the program saw around its marks.
	between "elapsed_ns of done" "$(fld "$N" elapsed_ns)" \
		$(($(mark stop before) - $(mark start after))) \
		$(($(mark stop after) - $(mark start before)))
	stats_are w min_ns="$(fld "$N" elapsed_ns)" max_ns="$(fld "$N" elapsed_ns)" \
		sum_ns="$(fld "$N" elapsed_ns)" running_ns="$(fld "$N" running_ns)" \
		waiting_ns="$(fld "$N" waiting_ns)" sleeping_ns="$(fld "$N" sleeping_ns)"

	# It came while the task was in the section, within 1 ms of the deadline.
	between "time of the report after the start" \
		$(($(ts "$D") - $(mark start before))) "$1" \
		$(($(mark start after) - $(mark start before) + $1 + 1000000))
	between "elapsed_ns of the report" "$(fld "$D" elapsed_ns)" "$1" $(($1 + 1000000))
	between "time from the report to the stop" \
		$(($(mark stop before) - $(ts "$D"))) 1 10000000000
}

# dominant PHASE STATE: the phase holds 90 % of the report and of the whole
dominant()
{
	ge "$1 in percent at the report" \
		$(($(fld "$D" "$1") * 100 / $(fld "$D" elapsed_ns))) 90
	ge "$1 in percent at the end" \
		$(($(fld "$N" "$1") * 100 / $(fld "$N" elapsed_ns))) 90
	eq "state at the report" "$(fld "$D" state)" "$2"
	eq "state at the end" "$(fld "$N" state)" running
	matches "error_env" "$(events error_env_tlob)" \
		"error_env_tlob: $(mark start tid): event budget_exceeded not expected in the state $2 with env clk_elapsed=$(fld "$D" elapsed_ns)\$"
}

# So long that what the kernel itself takes is less than a tenth of it.
BUDGET=$((5000000 * SLOW))

over_running()
{
	bind "p:w $P1 threshold=$BUDGET"
	sec fifo:10 start busy:$((15000 * SLOW)) stop
	one_report $BUDGET
	dominant running_ns running
}

over_waiting()
{
	rt_unlimited
	bind "p:w $P1 threshold=$BUDGET"
	sec start hog:40000 busy:1000 stop
	one_report $BUDGET
	dominant waiting_ns waiting
	between "waiting_ns" "$(fld "$N" waiting_ns)" 39000000 45000000
}

over_nanosleep()
{
	bind "p:w $P1 threshold=$BUDGET"
	sec start sleep:30000 stop
	one_report $BUDGET
	dominant sleeping_ns sleeping
	between "sleeping_ns" "$(fld "$N" sleeping_ns)" 29900000 31000000
}

over_pipe()
{
	bind "p:w $P1 threshold=$BUDGET"
	sec start pipe:30000 stop
	one_report $BUDGET
	dominant sleeping_ns sleeping
}

over_futex()
{
	bind "p:w $P1 threshold=$BUDGET"
	sec start futex:30000 stop
	one_report $BUDGET
	dominant sleeping_ns sleeping
}

over_disk()
{
	slow_disk_read
	one_report $BUDGET
	dominant sleeping_ns sleeping
}

# Half and half: each phase gets its own time.
phases_apart()
{
	rt_unlimited
	bind "p:w $P1 threshold=1s"
	sec fifo:10 start busy:10000 sleep:20000 hog:30000 busy:1000 sleep:20000 stop
	stats_are w started=1 stopped=1 violations=0
	between "running_ns" "$(stat_of w running_ns)" 10000000 12500000
	between "waiting_ns" "$(stat_of w waiting_ns)" 29900000 31500000
	between "sleeping_ns" "$(stat_of w sleeping_ns)" 39900000 41500000
}

# The report is there to be read while the task still sleeps in the section.
report_is_live()
{
	bind "p:w $P1 threshold=5ms"
	bg start ready wait stop
	await
	sleep 0.1
	check_reports 1
	eq "done_tlob before the stop" "$(nr_events done_tlob)" 0
	stats_are w started=1 stopped=0 violations=1 open=1
	matches "inflight" "$(<"$CTL/inflight")" \
		"^pid=$BG comm=section binding=w state=sleeping elapsed_ns=[0-9]+ threshold_ns=5000000\$"
	ge "elapsed_ns in inflight" "$(fld " $(<"$CTL/inflight")" elapsed_ns)" 100000000
	go
	finish
	eq "done_tlob after the stop" "$(nr_events done_tlob)" 1
	check_reports 1
	stats_are w stopped=1 violations=1 open=0
}

# The lengths of windows in budget never add up to a report.
many_in_budget()
{
	bind "p:w $P1 threshold=$((2 * SLOW))ms"
	sec fifo:10 loop:50 { start busy:500 stop }
	stats_are w started=50 stopped=50 violations=0
	check_reports 0
	sec fifo:10 loop:5 { start busy:$((2500 * SLOW)) stop start busy:100 stop }
	stats_are w started=60 stopped=60 violations=5
	check_reports 5
	eq "done_tlob events" "$(nr_events done_tlob)" 5
}

# on_time BINDING THRESHOLD: its report came within 1 ms of the deadline
on_time()
{
	local line

	line=$(events detail_env_tlob | grep " binding=$1 ")
	eq "reports of $1" "$(grep -c . <<< "$line")" 1
	between "elapsed_ns of $1" "$(fld "$line" elapsed_ns)" "$2" $(($2 + 1000000))
}

# The timer that an earlier window in budget left behind, set too early or too
# late for the next one, neither reports that one early nor late.
deadlines_after_a_stop()
{
	bind "p:w $P1 threshold=10ms"
	bind "p:short $P2 threshold=3ms"
	bind "p:long $P3 threshold=40ms"
	sec start sleep:6000 stop start sleep:30000 stop
	on_time w 10000000
	sec start3 stop3 start2 sleep:20000 stop2
	on_time short 3000000
	sec start2 stop2 start3 sleep:60000 stop3
	on_time long 40000000
	check_reports 3
}

# The nearest deadline goes with its window, the next one stays.
deadlines_of_nested_windows()
{
	bind "p:w $P1 threshold=10ms"
	bind "p:short $P2 threshold=3ms"
	bind "p:long $P3 threshold=40ms"
	sec start3 start start2 sleep:1000 stop2 sleep:30000 stop sleep:20000 stop3
	on_time w 10000000
	on_time long 40000000
	check_reports 2
	stats_are short started=1 stopped=1 violations=0
}

# Over budget again and again: each window of a hundred, on time
deadlines_of_many()
{
	local worst

	bind "p:w $P1 threshold=2ms"
	sec loop:100 { start sleep:3000 stop }
	check_reports 100
	worst=$(events detail_env_tlob | sed 's/.* elapsed_ns=\([0-9]*\).*/\1/' | sort -n | tail -n 1)
	between "latest report" "$worst" 2000000 3000000
}

restart_moves_the_deadline()
{
	bind "p:w $P1 threshold=10ms"
	sec start sleep:6000 start sleep:6000 start sleep:20000 stop
	on_time w 10000000
	check_reports 1
	stats_are w started=3 restarted=2 stopped=1 violations=1
}

shortest_and_longest_budget()
{
	bind "p:short $P1 threshold=1000"
	bind "p:long $P2 threshold=3600s"
	sec start2 start busy:50 stop sleep:100000 stop2
	stats_are short started=1 violations=1 stopped=1
	stats_are long started=1 violations=0 stopped=1
	check_reports 1
}

# The timer of a thread whose windows are in budget is left alone from one to the
# next; below 50 us each has its own.
no_timer_in_steady_state()
{
	bind "p:w $P1 threshold=1s"
	bind "p:v $P2 threshold=40us"
	watch_timers 1
	sec loop:1000 { start stop }
	eq "timers started" "$(timers hrtimer_start)" 1
	: > "$TRACE/trace"
	sec loop:100 { start2 stop2 }
	between "timers started, short budget" "$(timers hrtimer_start)" 100 110
	# Of a slow kernel, windows of no work are late by themselves.
	kept_over_stops 120 $((SLOW > 1 ? 1500 : 150)) $((SLOW > 1 ? 500 : 10))
	kept_over_stops 50 $((SLOW > 1 ? 1500 : 250)) $((SLOW > 1 ? 500 : 10))
	watch_timers 0
	stats_are w started=1000 stopped=1000 violations=0
	stats_are v started=100 stopped=100
}

# kept_over_stops BUDGET STARTS LATE: in us; a timer is kept over a stop until it
# would fire in 50 us, or in half of a short budget, and then moved, once for several,
# so at most STARTS for 500 windows; at most LATE of them are late, and as many timers
# fire.
kept_over_stops()
{
	bind "p:u$1 $P3 threshold=${1}us"
	: > "$TRACE/trace"
	sec loop:500 { start3 stop3 }
	between "timers started, $1 us" "$(timers hrtimer_start)" 5 "$2"
	between "timers expired, $1 us" "$(timers hrtimer_expire_entry)" 0 "$3"
	stats_are "u$1" started=500 stopped=500
	between "late, $1 us" "$(stat_of "u$1" violations)" 0 "$3"
	bind "-:u$1"
}

# A timer that is about to fire at a stop is cancelled; with a budget of less than
# 1 ms it is moved, and fires once for nothing if no window follows. Where an interrupt
# made the window overrun, it fired for that, and was not moved.
timer_near_its_end()
{
	local over

	[ "$SLOW" = 1 ] || skip "this kernel takes too long around a window"
	bind "p:w $P1 threshold=2ms"
	bind "p:v $P2 threshold=200us"
	watch_timers 1
	sec loop:10 { start busy:1970 stop sleep:5000 }
	over=$(stat_of w violations)
	between "late, 2 ms" "$over" 0 5
	eq "timers started, 2 ms" "$(timers hrtimer_start)" 10
	between "timers expired, 2 ms" "$(timers hrtimer_expire_entry)" 0 "$over"
	: > "$TRACE/trace"
	sec loop:10 { start2 busy:165 stop2 sleep:5000 }
	over=$(stat_of v violations)
	between "late, 200 us" "$over" 0 5
	between "timers started, 200 us" "$(timers hrtimer_start)" $((20 - over)) 20
	eq "timers expired, 200 us" "$(timers hrtimer_expire_entry)" 10
	watch_timers 0
	stats_are w started=10 stopped=10
	stats_are v started=10 stopped=10
}

# watch_timers 1|0: record what happens to timers, or no longer
watch_timers()
{
	echo "$1" > "$TRACE/events/timer/hrtimer_start/enable"
	echo "$1" > "$TRACE/events/timer/hrtimer_expire_entry/enable"
}

# timers EVENT: how often that came of timers of ours
timers()
{
	events "$1" | grep -c 'function=tlob_window_expired'
}

tcase in_budget_is_silent "in budget: silent"
tcase no_timer_in_steady_state "no timer is started from window to window"
tcase timer_near_its_end "a timer about to fire is cancelled at a stop, or moved"
tcase over_running "over budget while running"
tcase over_waiting "over budget while a SCHED_FIFO task holds the CPU"
tcase over_nanosleep "over budget in nanosleep"
tcase over_pipe "over budget in a pipe read"
tcase over_futex "over budget in a futex wait"
tcase over_disk "over budget in a disk read"
tcase phases_apart "each phase gets its own time"
tcase report_is_live "the report comes while the task is in the section"
tcase many_in_budget "each window has its own budget"
tcase deadlines_after_a_stop "deadlines after a window in budget"
tcase deadlines_of_nested_windows "deadlines of nested windows"
tcase deadlines_of_many "deadlines of a hundred windows"
tcase restart_moves_the_deadline "a restart moves the deadline"
tcase shortest_and_longest_budget "1000 ns and one hour"
run_cases
