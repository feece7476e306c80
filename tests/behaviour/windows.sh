#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# mode: up
# timeout: 300
#
# Which windows there are: nested, overlapping, restarted, recursive, left by
# longjmp; several stops; stops without a window.

. "$(dirname "$0")/lib.sh"

nested()
{
	bind "p:outer $P1 threshold=5ms"
	bind "p:inner $P2 threshold=50ms"
	sec start busy:2000 start2 sleep:10000 stop2 busy:1000 stop
	stats_are outer started=1 stopped=1 violations=1
	stats_are inner started=1 stopped=1 violations=0
	between "length of the outer" "$(stat_of outer sum_ns)" 13000000 $((13000000 + 1500000 * SLOW))
	between "length of the inner" "$(stat_of inner sum_ns)" 10000000 $((10000000 + 1000000 * SLOW))
	check_reports 1
	eq "binding" "$(fld "$(events detail_env_tlob)" binding)" outer
}

# Each deadline is met although another one is nearer or is taken back.
overlapping()
{
	local n

	bind "p:one $P1 threshold=10ms"
	bind "p:two $P2 threshold=3ms"
	bind "p:three $P3 threshold=20ms"
	sec start start3 start2 sleep:15000 stop sleep:1000 stop3 sleep:15000 stop2
	stats_are one started=1 stopped=1 violations=1
	stats_are two started=1 stopped=1 violations=1
	stats_are three started=1 stopped=1 violations=0
	check_reports 2
	between "length of the first" "$(stat_of one sum_ns)" 15000000 $((15000000 + 1500000 * SLOW))
	between "length of the second" "$(stat_of two sum_ns)" 31000000 $((31000000 + 2500000 * SLOW))
	between "length of the third" "$(stat_of three sum_ns)" 16000000 $((16000000 + 1500000 * SLOW))
	for n in one:10000000 two:3000000; do
		D=$(events detail_env_tlob | grep "binding=${n%:*} ")
		between "elapsed_ns of ${n%:*}" "$(fld "$D" elapsed_ns)" \
			"${n#*:}" $((${n#*:} + 1000000))
	done
	# The nearest deadline first
	eq "first report" "$(fld "$(events detail_env_tlob | head -n 1)" binding)" two
}

own_stop_only()
{
	bind "p:one $P1 threshold=5ms"
	bind "p:two $P2 threshold=5ms"
	sec start stop2 sleep:10000 stop stop
	stats_are one started=1 stopped=1 violations=1 unmatched_stops=1
	stats_are two started=0 stopped=0 violations=0 unmatched_stops=1
	between "length" "$(stat_of one sum_ns)" 10000000 $((10000000 + 1500000 * SLOW))
}

own_thread_only()
{
	bind "p:w $P1 threshold=1s"
	sec start thread { stop } join sleep:5000 stop
	stats_are w started=1 stopped=1 unmatched_stops=1
	between "length" "$(stat_of w sum_ns)" 5000000 $((5000000 + 3000000 * SLOW))
}

several_stops()
{
	bind "p:w $SEC:$START $STOP,$STOP2,$STOP3 threshold=1s"
	sec start stop start stop2 start stop3 start2 stop2
	stats_are w started=3 stopped=3 unmatched_stops=1 restarted=0
}

restart()
{
	bind "p:w $P1 threshold=5ms"
	sec fifo:10 start sleep:2000 start sleep:4000 start sleep:2000 stop stop
	stats_are w started=3 restarted=2 stopped=1 violations=0 unmatched_stops=1
	between "length of the last" "$(stat_of w sum_ns)" 2000000 $((2000000 + 1000000 * SLOW))
	check_reports 0
}

# A window over budget that is restarted was reported, and has no done_tlob.
restart_over_budget()
{
	bind "p:w $P1 threshold=5ms"
	sec start sleep:10000 start sleep:1000 stop
	stats_are w started=2 restarted=1 stopped=1 violations=1
	check_reports 1
	eq "done_tlob events" "$(nr_events done_tlob)" 0
	between "length of the second" "$(stat_of w sum_ns)" 1000000 $((1000000 + 1000000 * SLOW))
}

two_starts_one_stop()
{
	bind "p:short $SEC:$START $STOP threshold=3ms"
	bind "p:long $SEC:$START2 $STOP threshold=1s"
	sec start2 sleep:2000 start sleep:5000 stop
	stats_are short started=1 stopped=1 violations=1
	stats_are long started=1 stopped=1 violations=0
	between "length of the short" "$(stat_of short sum_ns)" 5000000 $((5000000 + 1500000 * SLOW))
	between "length of the long" "$(stat_of long sum_ns)" 7000000 $((7000000 + 1500000 * SLOW))
}

on_return()
{
	bind "p:w $SEC:$CALL $CALL%return threshold=5ms"
	sec call { sleep:2000 } call { sleep:10000 }
	stats_are w started=2 stopped=2 violations=1 restarted=0 unmatched_stops=0
	check_reports 1
	eq "done_tlob events" "$(nr_events done_tlob)" 1
	between "min_ns" "$(stat_of w min_ns)" 2000000 $((2000000 + 1000000 * SLOW))
	between "max_ns" "$(stat_of w max_ns)" 10000000 $((10000000 + 1000000 * SLOW))
}

# The outermost call is the window.
recursion()
{
	bind "p:w $SEC:$CALL $CALL%return threshold=1s"
	sec call { sleep:1000 call:5 { sleep:1000 } sleep:1000 call { } sleep:1000 }
	stats_are w started=1 stopped=1 restarted=0 unmatched_stops=0
	between "length" "$(stat_of w sum_ns)" 4000000 $((4000000 + 1500000 * SLOW))
}

# The kernel catches at most 64 returns of a task at a time.
deep_recursion()
{
	bind "p:w $SEC:$CALL $CALL%return threshold=1s"
	sec call:200 { sleep:2000 } sleep:50000 call:70 { sleep:2000 }
	stats_are w started=2 stopped=2 restarted=0 unmatched_stops=0
	between "min_ns" "$(stat_of w min_ns)" 2000000 $((2000000 + 8000000 * SLOW))
	between "max_ns" "$(stat_of w max_ns)" 2000000 $((2000000 + 8000000 * SLOW))
}

many_returns()
{
	bind "p:w $SEC:$CALL $CALL%return threshold=1s"
	sec loop:300 { call:3 { } }
	stats_are w started=300 stopped=300 restarted=0 unmatched_stops=0
}

# The callee starts the window, its caller's return ends it.
start_inside_return()
{
	bind "p:w $SEC:$START $CALL%return threshold=5ms"
	sec call { sleep:8000 start sleep:2000 } call { start sleep:8000 }
	stats_are w started=2 stopped=2 violations=1
	between "min_ns" "$(stat_of w min_ns)" 2000000 $((2000000 + 1000000 * SLOW))
}

return_or_offset()
{
	bind "p:w $SEC:$CALL $CALL%return,$STOP threshold=1s"
	sec call { sleep:2000 stop sleep:5000 } sleep:5000 call { sleep:2000 }
	stats_are w started=2 stopped=2
	between "max_ns" "$(stat_of w max_ns)" 2000000 $((2000000 + 1000000 * SLOW))
}

# A frame left by longjmp: the next call at its place is a new window.
longjmp_restarts()
{
	bind "p:w $SEC:$CALL $CALL%return threshold=1s"
	sec loop:2 { catch { call { sleep:2000 jump } } } call { sleep:3000 }
	stats_are w started=3 restarted=2 stopped=1
	between "length of the last" "$(stat_of w sum_ns)" 3000000 $((3000000 + 1000000 * SLOW))
}

# A deeper one looks like recursion, and its return is not the window's.
longjmp_deeper()
{
	bind "p:w $SEC:$CALL $CALL%return threshold=1s"
	sec catch { call { jump } } deeper { call { sleep:2000 } } call { sleep:3000 }
	stats_are w started=2 restarted=1 stopped=1
	between "length of the last" "$(stat_of w sum_ns)" 3000000 $((3000000 + 1000000 * SLOW))
}

# Recursion, left halfway: the outer frame still ends its window.
longjmp_out_of_recursion()
{
	bind "p:w $SEC:$CALL $CALL%return threshold=1s"
	sec call { catch { call:10 { jump } } sleep:2000 call:3 { } sleep:1000 }
	stats_are w started=1 restarted=0 stopped=1
	between "length" "$(stat_of w sum_ns)" 3000000 $((3000000 + 1500000 * SLOW))
}

stop_without_start()
{
	bind "p:w $P1 threshold=1s"
	sec stop stop start stop stop
	stats_are w started=1 stopped=1 unmatched_stops=3
}

# It returns by `ret $4`: the stack pointer is not where a plain return leaves it.
return_that_pops()
{
	local -A OFF

	"$BIN/compat_return" 2> /dev/null || skip "this kernel runs no i386 programs"
	offsets_of "$BIN/compat_return"
	bind "p:w $BIN/compat_return:${OFF[make_big]} ${OFF[make_big]}%return threshold=1s"
	"$BIN/compat_return"
	stats_are w started=3 stopped=3 restarted=0 exited=0 violations=0
}

forged_name()
{
	bind "p:w $P1 threshold=1s"
	bg "name:a
pid=1 b\\" start ready wait stop
	await
	eq "lines of inflight" "$(wc -l < "$CTL/inflight")" 1
	matches "inflight" "$(<"$CTL/inflight")" '^pid=[0-9]+ comm=a\\012pid=1\\040b\\134 binding=w '
	go
	finish
}

tcase nested "nested windows"
tcase overlapping "overlapping windows, each its own deadline"
tcase own_stop_only "a stop ends no other binding's window"
tcase own_thread_only "a stop ends no other thread's window"
tcase several_stops "several stops"
tcase restart "a start while open restarts"
tcase restart_over_budget "a restart over budget is reported, and not done"
tcase two_starts_one_stop "two bindings with one stop"
tcase on_return "%return"
tcase recursion "recursion: the outermost call is the window"
tcase deep_recursion "recursion deeper than 64"
tcase many_returns "hundreds of recursive calls"
tcase start_inside_return "a window that ends with the caller's return"
tcase return_or_offset "%return and an offset"
tcase longjmp_restarts "longjmp out of a %return function, then again"
tcase longjmp_deeper "longjmp, then a deeper call, then one in its place"
tcase longjmp_out_of_recursion "longjmp out of inner calls"
tcase return_that_pops "%return of a 32-bit function that pops its hidden argument"
tcase forged_name "a thread's name is escaped in inflight"
tcase stop_without_start "unmatched stops"
run_cases
