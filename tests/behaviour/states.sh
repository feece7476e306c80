#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# mode: up
# timeout: 300
#
# The automaton against what the scheduler really does: event sequences,
# preemption at the worst places, signals, ptrace stops, a frozen cgroup.

. "$(dirname "$0")/lib.sh"

# walk_events: replay event_tlob through the table of README, task by task;
# prints a line per transition that is not in it, then the number of each event
walk_events()
{
	awk '
	BEGIN {
		next_of["running start"] = "running"
		next_of["running sleep"] = "sleeping"
		next_of["running preempt"] = "waiting"
		next_of["waiting switch_in"] = "running"
		next_of["sleeping wakeup"] = "waiting"
		next_of["running wakeup"] = "running"
		next_of["waiting wakeup"] = "waiting"
	}
	/ event_tlob: / {
		sub(/.* event_tlob: /, "")
		id = $1
		sub(/:$/, "", id)
		from = $2
		ev = $4
		to = $6
		final = $7
		if ($3 != "x" || $5 != "->")
			print "BAD format: " $0
		if (next_of[from " " ev] != to)
			print "BAD transition: " $0
		if ((to == "running") != (final == "(final)"))
			print "BAD final: " $0
		if (id in state && state[id] != from)
			print "BAD sequence: in state " state[id] ": " $0
		if (!(id in state) && ev != "start")
			print "BAD first: " $0
		state[id] = to
		n[ev]++
	}
	END {
		for (ev in n)
			print ev "=" n[ev]
	}' "$TRACE/trace"
}

sequence()
{
	rt_unlimited
	record "${EV_REPORTS[@]}" event_tlob
	bind "p:w $P1 threshold=1s"
	# Of higher priority than what a tick may wake
	sec fifo:10 start busy:100 stop start sleep:1000 stop start hog:5000 busy:100 stop
	walk_events > "$T/walk"
	eq "what the automaton refuses" "$(grep BAD "$T/walk")" ""
	eq "starts" "$(grep start= "$T/walk")" start=3
	matches "sleeps" "$(grep sleep= "$T/walk")" 'sleep=[1-9]'
	matches "preemptions" "$(grep preempt= "$T/walk")" 'preempt=[1-9]'
	# The second window slept once, between its start and the third.
	eq "events of the sleeping window" "$(events event_tlob | awk '
		/ x start /	{ n++ }
		n == 2		{ sub(/.*event_tlob: [0-9]+: /, ""); print }' | tr '\n' ';')" \
		"running x start -> running (final);running x sleep -> sleeping;sleeping x wakeup -> waiting;waiting x switch_in -> running (final);"
	# The third was preempted, by the hog.
	eq "events of the starved window" "$(events event_tlob | awk '
		/ x start /	{ n++ }
		n == 3		{ sub(/.*event_tlob: [0-9]+: /, ""); print }' | tr '\n' ';')" \
		"running x start -> running (final);running x preempt -> waiting;waiting x switch_in -> running (final);"
	eq "error_tlob" "$(nr_events error_tlob)" 0
}

# The events of one task without a window: none.
no_window_no_event()
{
	record "${EV_REPORTS[@]}" event_tlob
	bind "p:w $P1 threshold=1s"
	sec fifo:10 sleep:1000 start sleep:1000 stop thread { sleep:1000 } join sleep:1000 yield:10
	eq "events" "$(nr_events event_tlob)" 4
}

# FIFO threads break in at every few microseconds, also between
# set_current_state() and schedule(), while three tasks sleep and wake. What
# the accounting would make of a wrong guess are anomalies, or sleeps that no
# wakeup ends.
preempted_before_schedule()
{
	rt_unlimited
	bind "p:w $P1 threshold=3600s"
	sec thread { fifo:60 loop:3000 { sleep:37 spin:500 } } \
		thread { fifo:61 loop:2500 { sleep:53 spin:300 } } \
		thread { loop:150 { start futex:20 pipe:30 stop } } \
		thread { loop:300 { start sleep:10 sleep:1 yield:3 stop } } join
	stats_are w started=450 stopped=450 anomalies=0
	eq "error_tlob" "$(nr_events error_tlob)" 0
	ge "sleeping_ns" "$(stat_of w sleeping_ns)" 5000000
	ge "waiting_ns" "$(stat_of w waiting_ns)" 1000000
}

preempted_sequence()
{
	rt_unlimited
	record "${EV_REPORTS[@]}" event_tlob
	bind "p:w $P1 threshold=3600s"
	sec thread { fifo:60 loop:1000 { sleep:37 spin:500 } } \
		thread { loop:200 { start sleep:10 sleep:1 yield:3 stop } } \
		thread { loop:200 { start sleep:20 spin:20000 stop } } join
	walk_events > "$T/walk"
	eq "what the automaton refuses" "$(grep BAD "$T/walk")" ""
	eq "starts" "$(grep start= "$T/walk")" start=400
	ge "preemptions" "$(sed -n s/preempt=//p "$T/walk")" 100
	ge "sleeps" "$(sed -n s/sleep=//p "$T/walk")" $((SLOW > 1 ? 200 : 500))
	stats_are w started=400 stopped=400 anomalies=0
}

# A task that runs in its section while another one signals and wakes it
wakeup_of_a_running_task()
{
	bind "p:w $P1 threshold=3600s"
	sec handler:14:10 thread { loop:300 { start spin:3000 yield:1 spin:3000 stop } } \
		loop:100 { timer:50 sleep:40 } join
	stats_are w started=300 stopped=300 anomalies=0
}

handler_in_window()
{
	bind "p:w $P1 threshold=5ms"
	sec fifo:10 handler:10:8000 start kill:10 stop
	stats_are w started=1 stopped=1 violations=1
	check_reports 1
	eq "state" "$(fld "$(events detail_env_tlob)" state)" running
	between "running_ns" "$(stat_of w running_ns)" 7600000 $((7600000 + 1900000 * SLOW))
}

signal_ends_a_sleep()
{
	bind "p:w $P1 threshold=1s"
	sec handler:14:0 timer:5000 start sleep:300000 stop
	stats_are w started=1 stopped=1 violations=0
	between "sleeping_ns" "$(stat_of w sleeping_ns)" 3000000 $((3000000 + 4000000 * SLOW))
}

job_control()
{
	bind "p:w $P1 threshold=50ms"
	bg start ready busy:100000 stop
	await
	kill -STOP "$BG"
	sleep 0.3
	matches "inflight of a stopped task" "$(<"$CTL/inflight")" "pid=$BG .* state=sleeping "
	kill -CONT "$BG"
	finish
	stats_are w started=1 stopped=1 violations=1
	check_reports 1
	between "sleeping_ns" "$(stat_of w sleeping_ns)" 290000000 $((220000000 + 100000000 * SLOW))
}

ptrace_stop()
{
	bind "p:w $P1 threshold=20ms"
	sec start ptstop:50000 stop
	stats_are w started=1 stopped=1 violations=1
	check_reports 1
	eq "state" "$(fld "$(events detail_env_tlob)" state)" sleeping
	between "sleeping_ns" "$(stat_of w sleeping_ns)" 49000000 $((49000000 + 11000000 * SLOW))
}

frozen_cgroup()
{
	local cg=/sys/fs/cgroup/tlob_test

	[ -e /sys/fs/cgroup/cgroup.controllers ] || skip "no cgroup v2"
	mkdir "$cg" || die "mkdir $cg"
	defer "rmdir $cg"
	[ -e "$cg/cgroup.freeze" ] || skip "no cgroup.freeze"
	bind "p:w $P1 threshold=100ms"
	bg start ready busy:300000 stop
	await
	echo "$BG" > "$cg/cgroup.procs"
	echo 1 > "$cg/cgroup.freeze"
	sleep 0.5
	matches "inflight of a frozen task" "$(<"$CTL/inflight")" "pid=$BG .* state=sleeping "
	echo 0 > "$cg/cgroup.freeze"
	finish
	stats_are w started=1 stopped=1 violations=1
	check_reports 1
	between "sleeping_ns" "$(stat_of w sleeping_ns)" 480000000 $((430000000 + 100000000 * SLOW))
}

# Frozen while asleep, woken while frozen
frozen_asleep()
{
	local cg=/sys/fs/cgroup/tlob_test

	mkdir "$cg" || die "mkdir $cg"
	defer "rmdir $cg"
	[ -e "$cg/cgroup.freeze" ] || skip "no cgroup.freeze"
	bind "p:w $P1 threshold=3600s"
	bg loop:3 { start ready wait stop }
	echo "$BG" > "$cg/cgroup.procs"
	for _ in 1 2 3; do
		await
		echo 1 > "$cg/cgroup.freeze"
		sleep 0.1
		go
		sleep 0.1
		echo 0 > "$cg/cgroup.freeze"
	done
	finish
	stats_are w started=3 stopped=3 anomalies=0
	ge "sleeping_ns" "$(stat_of w sleeping_ns)" 550000000
}

# Ids are of the initial namespace wherever the task lives.
pid_namespace()
{
	local tid

	bind "p:w $P1 threshold=5ms"
	bg_exec unshare --pid --fork "$SEC" start ready wait stop
	await
	tid=$(fld " $(<"$CTL/inflight")" pid)
	eq "the program behind the pid of inflight" "$(<"/proc/$tid/comm")" section
	sleep 0.1
	go
	finish
	eq "the program's own idea of its tid" "$(mark start tid)" 1
	eq "pid of the event" "$(fld "$(events detail_env_tlob)" pid)" "$tid"
	eq "tgid of the event" "$(fld "$(events detail_env_tlob)" tgid)" "$tid"
}

tcase sequence "event_tlob follows the automaton"
tcase no_window_no_event "no events outside windows"
tcase preempted_before_schedule "preempted between set_current_state() and schedule()"
tcase preempted_sequence "event_tlob follows the automaton under preemption"
tcase wakeup_of_a_running_task "wakeups of a running task"
tcase handler_in_window "a signal handler in the window"
tcase signal_ends_a_sleep "a sleep that a signal ends"
tcase job_control "SIGSTOP and SIGCONT"
tcase ptrace_stop "a ptrace stop is sleeping"
tcase frozen_cgroup "a frozen cgroup is sleeping"
tcase frozen_asleep "frozen in its sleep"
tcase pid_namespace "ids in a pid namespace"
run_cases
