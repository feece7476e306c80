#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# mode: smp
# timeout: 900
#
# Two CPUs: wakeups that race with going to sleep, CPUs that come and go, and
# all controls used while programs run through their sections.

. "$(dirname "$0")/lib.sh"

# Under load open is never negative and no count goes back.
sane_stats()
{
	awk -v w="$1" '{
		for (i = 2; i <= NF; i++)
			if ($i !~ /^[a-z_]+=[0-9]+$/)
				print w ": " $0
	}' "$CTL/stats"
}

# Threads on both CPUs wake one another: switches out whose prev_state is stale.
wakeup_races()
{
	bind "p:w $P1 threshold=3600s"
	sec thread { loop:500 { start futex:1 stop } } thread { loop:500 { sleep:10 spin:500 } } join
	sec threads:6 { loop:200 { start sleep:1 yield:2 sleep:20 spin:1000 stop } } join
	ge "started" "$(stat_of w started)" 1200
	stats_are w anomalies=0
	eq "error_tlob" "$(nr_events error_tlob)" 0
	ge "sleeping_ns" "$(stat_of w sleeping_ns)" 1000000
}

two_cpus_alternate()
{
	tlob_reload max_monitored=1
	bind "p:w $P1 threshold=3600s"
	sec alternate:1000
	stats_are w started=1000 stopped=1000 missed_pool=0
}

# The CPU of a sleeping task, its timer's too, goes away and comes back.
hotplug()
{
	local cpu=/sys/devices/system/cpu/cpu1/online i

	[ -w "$cpu" ] || skip "cpu1 can't be taken off"
	defer "echo 1 > $cpu"
	bind "p:w $P1 threshold=300ms"
	bind "p:busy $P2 threshold=1ms"
	for ((i = 0; i < 3; i++)); do
		bg threads:4 { cpu:1 here start sleep:800000 stop } settle:4 sleep:200000 ready join
		await
		echo 0 > "$cpu" || die "cpu1 does not go"
		finish
		echo 1 > "$cpu" || die "cpu1 does not come"
	done
	stats_are w started=12 stopped=12 violations=12 anomalies=0
	check_reports 12
	# And under load
	bg threads:4 { loop:400 { start2 sleep:500 spin:20000 yield:1 stop2 } } join
	for ((i = 0; i < 5; i++)); do
		echo 0 > "$cpu" || die "cpu1 does not go"
		sleep 0.1
		echo 1 > "$cpu" || die "cpu1 does not come"
		sleep 0.1
	done
	finish
	stats_are busy started=1600 stopped=1600 anomalies=0
}

# Programs in the background, until the case kills them. They leave the CPU to
# the case, else it is slow.
under_fire()
{
	local i

	for i in 1 2; do
		nice -n 19 "$SEC" threads:2 { loop:1000000 { start call:3 { start2 sleep:200 stop2 } spin:5000 stop } } join &
	done
	nice -n 19 "$SEC" loop:100000 { fork { start start2 } fork { thread { start exec:/bin/true } sleep:1000000 } reap } > /dev/null &
}

bind_all()
{
	put "p:one $P1 threshold=100us"
	put "p:two $P2 threshold=1ms"
	put "p:ret $SEC:$CALL $CALL%return threshold=150us"
}

bind_under_fire()
{
	local i

	under_fire
	for ((i = 0; i < 12; i++)); do
		bind_all
		sleep 0.05
		sane_stats "round $i" >> "$T/insane"
		[ $((i % 4)) -ne 3 ] || reaches one started 1
		cat "$CTL/inflight" "$CTL/bindings" > /dev/null
		put "-:two"
		put "-*"
	done
	eq "stats that are not sane" "$(head -n 3 "$T/insane")" ""
	ge "started of removed" "$(stat_of removed started)" 20
	ge "violations of removed" "$(stat_of removed violations)" 2
}

enable_under_fire()
{
	local i

	bind_all
	under_fire
	# The short windows end by themselves before a disable gets to them.
	bg start ready loop:1000 { sleep:300000 stop start }
	await
	for ((i = 0; i < 12; i++)); do
		echo 1 > "$CTL/enable" || fail "enable in round $i"
		sleep 0.05
		sane_stats "round $i" >> "$T/insane"
		echo 0 > "$CTL/enable" || fail "disable in round $i"
		eq "windows after disable" "$(<"$CTL/inflight")" ""
		eq "open after disable" "$(stat_of one open)" 0
	done
	eq "stats that are not sane" "$(head -n 3 "$T/insane")" ""
	ge "started" "$(stat_of one started)" 10
	ge "cancelled" "$(stat_of one cancelled)" 1
	# What they have forked outlives them: then it is in no window.
	put "-*"
	echo 1 > "$CTL/enable"
}

# Readers and writers at once
files_under_fire()
{
	local i pids=()

	under_fire
	for i in 1 2; do
		while :; do
			cat "$CTL"/{stats,inflight,bindings,error_log} > "$T/all.$i"
			echo "p:x$i nonsense" > "$CTL/monitor"
		done 2> /dev/null &
		pids+=($!)
	done
	for ((i = 0; i < 12; i++)); do
		bind_all
		sleep 0.03
		put "-*"
	done
	kill -KILL "${pids[@]}"
	wait "${pids[@]}" 2> /dev/null
	ge "started of removed" "$(stat_of removed started)" 10
}

unload_under_fire()
{
	local i

	under_fire
	for ((i = 0; i < 6; i++)); do
		bind_all
		reaches one started 1
		tlob_unload || die "rmmod in round $i"
		sleep 0.01
		tlob_load enable=1 || die "insmod in round $i"
	done
	jobs -rp | grep -q . || fail "the programs did not survive"
}

# Windows stopped by a load of stops while their tasks are killed
kill_under_fire()
{
	local i before

	bind_all
	for ((i = 0; i < 8; i++)); do
		before=$(stat_of one started)
		nice -n 19 "$SEC" threads:8 { loop:100000 { start call { start2 spin:3000 stop2 } sleep:100 stop } } join &
		reaches one started $((before + 50))
		kill -KILL $!
		wait $! 2> /dev/null
	done
	ge "started" "$(stat_of one started)" 10
	ge "exited" "$(stat_of one exited)" 8
}

tcase wakeup_races "wakeups race with going to sleep"
tcase two_cpus_alternate "a pool of 1 and two threads in turn on two CPUs"
tcase hotplug "a CPU goes and comes in windows"
tcase bind_under_fire "bindings made and removed under fire"
tcase enable_under_fire "enable and disable under fire"
tcase files_under_fire "all files read and written under fire"
tcase unload_under_fire "unload and load under fire"
tcase kill_under_fire "tasks killed in their windows"
run_cases
