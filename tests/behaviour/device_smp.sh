#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# mode: smp
# timeout: 300
#
# /dev/tlob with threads on both CPUs: nothing is lost, counted twice, or left
# behind when files are closed, and tlob disabled, under their windows.

. "$(dirname "$0")/lib.sh"

DEV=$BIN/dev

# The line of `dev` counts since load; every case loads anew.
run_dev()
{
	OUT=$("$DEV" "$@" 2>&1)
}

tally()
{
	sed -n "s/^tally $1 //p" <<< "$OUT"
}

# Starts and stops of many threads on one descriptor agree with what they were told.
counts()
{
	tlob_reload
	run_dev open:a quiet threads:8 { loop:500 { start:a:1000000:+ rnd:200 info:a } } join tally
	eq "starts" "$(tally start=0)" 4000
	eq "stops" $(($(tally info=0) + $(tally info=-EOVERFLOW) + 0)) 4000
	stats_are dev started=4000 stopped=4000 violations="$(($(tally info=-EOVERFLOW) + 0))" \
		missed_pool=0 unmatched_stops=0
}

# Readers get every record, once, while the queue is never full.
events_once()
{
	tlob_reload
	run_dev open:a:nonblock threads:2 { loop:30 { start:a:100000:+ busy:300 sleep:1000 stop:a } } \
		thread { loop:200 { poll:a:20 read:a:112 } } join read:a:65536
	eq "violations" "$(stat_of dev violations)" 60
	eq "events" "$(grep -c '^event' <<< "$OUT")" 60
	eq "tags" "$(grep -o '^event.* tag=[^ ]*' <<< "$OUT" | sed 's/.*tag=//' | sort -u | grep -c .)" 60
	eq "lost" "$(grep -c '^event.*flags=1' <<< "$OUT")" 0
	check_reports 60
}

# Blocking readers, more than one, each woken for what it gets
blocking_readers()
{
	tlob_reload
	run_dev open:a threads:2 { loop:20 { read:a:56 } } \
		thread { loop:40 { start:a:100000:+ busy:200 sleep:2000 stop:a } } join
	eq "reads" "$(grep -c '^read=56' <<< "$OUT")" 40
	eq "tags" "$(grep -o '^event.* tag=[^ ]*' <<< "$OUT" | sed 's/.*tag=//' | sort -u | grep -c .)" 40
}

# The last close while another thread runs in its window, again and again
close_under_windows()
{
	local i

	tlob_reload
	for ((i = 0; i < 5; i++)); do
		run_dev quiet open:a threads:3 { loop:1000000 { start:a:200000:+ rnd:400 stop:a } } \
			loop:20 { sleep:5000 close:a open:a } exit:0
	done
	eq "inflight" "$(<"$CTL/inflight")" ""
	ge "cancelled" "$(stat_of dev cancelled)" 1
	ge "stopped" "$(stat_of dev stopped)" 1
}

disable_under_windows()
{
	local i

	tlob_reload
	# The short ones end by themselves before a disable gets to them.
	bg_exec "$DEV" quiet open:a threads:3 { loop:100000 { start:a:200000:+ rnd:400 stop:a } } \
		thread { start:a:3600000000000 ready \
		loop:1000 { sleep:300000 stop:a start:a:3600000000000 } } join
	await
	reaches dev stopped 10
	for ((i = 0; i < 10; i++)); do
		sleep 0.03
		echo 0 > "$CTL/enable"
		eq "inflight while disabled" "$(<"$CTL/inflight")" ""
		echo 1 > "$CTL/enable"
	done
	kill -KILL "$BG"
	wait "$BG"
	sleep 0.1
	ge "cancelled" "$(stat_of dev cancelled)" 1
	ge "stopped" "$(stat_of dev stopped)" 10
}

# Threads that die in their windows, by exec of another and by SIGKILL
die_under_windows()
{
	local i

	tlob_reload
	for ((i = 0; i < 6; i++)); do
		run_dev open:a quiet fork { threads:3 { loop:10000 { start:a:50000:+ rnd:100 stop:a } } \
			sleep:5000 start:a:1000000 exec:/bin/true } fork { threads:3 { loop:10000 \
			{ start:a:50000:+ rnd:100 stop:a } } sleep:5000 start:a:1000000 exit:0 } reap
	done
	eq "inflight" "$(<"$CTL/inflight")" ""
	eq "execed" "$(stat_of dev execed)" 6
	ge "exited" "$(stat_of dev exited)" 6
}

tcase counts "8 threads on one descriptor"
tcase events_once "each overrun is read once"
tcase blocking_readers "two blocking readers"
tcase close_under_windows "close under open windows"
tcase disable_under_windows "disable under open windows"
tcase die_under_windows "exit and execve under open windows"
run_cases
