#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# mode: up duo
# timeout: 180
#
# tlob_start_task() and tlob_stop_task(), by tests/modules/tlob_api: the state a
# task is in when its window opens, errors, ends.

. "$(dirname "$0")/lib.sh"

RUN=/sys/module/tlob_api/parameters/run

# api COMMAND: carried out, the answer in $OUT. The caller keeps to one CPU.
api()
{
	[ -e "$RUN" ] || die "tlob_api is not loaded"
	echo "$*" > "$RUN" || die "api $*"
	OUT=$(<"$RUN")
}

# answers KEY=VALUE...
answers()
{
	local kv

	for kv; do
		eq "${kv%%=*}" "$(sed -n "s/^${kv%%=*}=//p" <<< "$OUT")" "${kv#*=}"
	done
}

load_api()
{
	insmod "$TLOB_DIR/tlob_api.ko" || die "insmod tlob_api"
	defer "rmmod tlob_api"
	taskset -pc 0 "$BASHPID" > /dev/null
	rt_unlimited
	count_from kernel
}

# mostly PHASE: it has 90 % of the window, which is 20 ms long or more
mostly()
{
	between "sum_ns" "$(grown kernel sum_ns)" 19000000 2000000000
	ge "$1 in percent" $(($(grown kernel "$1") * 100 / $(grown kernel sum_ns))) 90
}

# The report: in this state, and all its time is in the right phase
reported()
{
	check_reports 1
	D=$(events detail_env_tlob)
	eq "binding" "$(fld "$D" binding)" kernel
	eq "comm" "$(fld "$D" comm)" tlob_api
	eq "pid" "$(fld "$D" pid)" "$(sed -n 's/^tid=//p' <<< "$OUT" | head -n 1)"
	eq "state" "$(fld "$D" state)" "$1"
	ge "$1_ns in percent" $(($(fld "$D" "$1_ns") * 100 / $(fld "$D" elapsed_ns))) 90
	eq "binding of done" "$(fld "$(events done_tlob)" binding)" kernel
}

# undisturbed COMMAND: recorded; once more if another thread had the CPU at the
# very moment of the report
undisturbed()
{
	for _ in 1 2 3 4 5; do
		record "${EV_REPORTS[@]}"
		count_from kernel
		api "$@"
		[ "$(fld "$(events detail_env_tlob)" state)" = waiting ] || break
	done
}

# overran STATE: what its start and its stop said, what was counted and reported
overran()
{
	answers start=0 stop=-75
	grew kernel started=1 stopped=1 violations=1
	mostly "$1_ns"
	reported "$1"
	eq "error_tlob" "$(nr_events error_tlob)" 0
}

sleeping()
{
	load_api
	api sleeping 1000000000
	answers start=0 again=-114 stop=0 stop_again=-3
	grew kernel started=1 stopped=1 violations=0 unmatched_stops=1
	mostly sleeping_ns
	check_reports 0
	count_from kernel
	api sleeping 5000000
	answers start=0 again=-114 stop=-75 stop_again=-3
	grew kernel started=1 stopped=1 violations=1
	mostly sleeping_ns
	reported sleeping
	eq "error_tlob" "$(nr_events error_tlob)" 0
}

running()
{
	[ "$(nproc)" -gt 1 ] || skip "one CPU: what another task does, it does not do now"
	load_api
	api running 3600000000000
	answers start=0 stop=0
	grew kernel started=1 stopped=1 violations=0
	mostly running_ns
	eq "error_tlob" "$(nr_events error_tlob)" 0
	undisturbed running 5000000
	overran running
}

# Another task has its CPU: no event comes that could put a wrong guess right.
runnable()
{
	load_api
	api runnable 3600000000000
	answers start=0 stop=0
	grew kernel started=1 stopped=1 violations=0
	mostly waiting_ns
	count_from kernel
	api runnable 80000000
	overran waiting
}

# Held up between set_current_state() and schedule() it waits.
undecided()
{
	load_api
	api undecided 80000000
	answers hesitates=1
	overran waiting
}

# The wakeup comes when it has not slept yet.
woken_early()
{
	[ "$(nproc)" -gt 1 ] || skip "one CPU: this takes one of its own"
	load_api
	undisturbed woken 400000000
	answers start=0 woken=1 stop=-75
	grew kernel started=1 stopped=1 violations=1
	reported running
	matches "waker" "$(fld "$D" waker)" ":$(sed -n 's/^me=//p' <<< "$OUT")\$"
	eq "error_tlob" "$(nr_events error_tlob)" 0
}

# On RT, to wait for a spinlock_t is to sleep, whatever else the kernel says of it.
spinlock()
{
	[[ $(uname -v) = *PREEMPT_RT* ]] || skip "spinlocks of this kernel do not sleep"
	load_api
	api locked 300000000
	overran sleeping
}

# Half of it on the CPU, half asleep
self()
{
	load_api
	api self 1000000000
	answers start=0 again=-114 stop=0
	grew kernel started=1 stopped=1 violations=0
	ge "running_ns" $(($(grown kernel running_ns) + $(grown kernel waiting_ns))) 9500000
	ge "sleeping_ns" "$(grown kernel sleeping_ns)" 9500000
	api self 5000000
	answers start=0 again=-114 stop=-75
	check_reports 1
	eq "comm" "$(fld "$(events detail_env_tlob)" comm)" tlob_api_self
}

irq()
{
	load_api
	api irq 1000000000
	diag "in_irq: $(sed -n 's/^in_irq=//p' <<< "$OUT")"
	answers start=0 stop=0 start2=0 stop2=0 start3=0 stop3=0
	grew kernel started=3 stopped=3 violations=0
	api irq 5000000
	answers start=0 stop=-75 start2=0 stop2=-75 start3=0 stop3=-75
	grew kernel started=6 stopped=6 violations=3
	check_reports 3
	eq "done_tlob events" "$(nr_events done_tlob)" 3
}

exits()
{
	load_api
	api exits 3600000000000
	answers start=0 stop=-3 start_exiting=-3 stop_exiting=-3
	grew kernel started=1 exited=1 stopped=0
	eq "inflight" "$(<"$CTL/inflight")" ""
}

# Another task's window, as it is seen while it is open
by_pid()
{
	load_api
	bg ready wait busy:50000 ready wait
	await
	api start "$BG" 60000000000
	answers start=0
	sleep 0.1
	matches "inflight" "$(<"$CTL/inflight")" \
		"^pid=$BG comm=section binding=kernel state=sleeping elapsed_ns=[0-9]+ threshold_ns=60000000000\$"
	go
	await
	api start "$BG" 60000000000
	answers start=-114
	api stop "$BG"
	answers stop=0
	api stop "$BG"
	answers stop=-3
	grew kernel started=1 stopped=1 unmatched_stops=1
	ge "sleeping_ns" "$(grown kernel sleeping_ns)" 100000000
	ge "running_ns" "$(grown kernel running_ns)" 2000000
	eq "error_tlob" "$(nr_events error_tlob)" 0

	# Its end is ours, too.
	api start "$BG" 60000000000
	go
	finish
	sleep 0.05
	grew kernel started=2 exited=1
}

exec_and_disable()
{
	load_api
	bg ready wait exec:/bin/true
	await
	api start "$BG" 60000000000
	go
	finish
	grew kernel started=1 execed=1
	bg ready wait
	await
	api start "$BG" 60000000000
	echo 0 > "$CTL/enable"
	grew kernel started=2 cancelled=1
	api stop "$BG"
	answers stop=-3
	echo 1 > "$CTL/enable"
	api stop "$BG"
	answers stop=-3
	api start "$BG" 60000000000
	answers start=0
	api stop "$BG"
	answers stop=0
	go
	finish
}

# A thread that is not the leader, while it has the leader's tid and its record
# has the old one: found by that, and all its windows end by the execve.
within_execve()
{
	local tid api

	[ "$(nproc)" -gt 1 ] || skip "one CPU: the other task runs when it is over"
	load_api
	bind "p:w $P1 threshold=1s"
	bg thread { start ready wait exec:/bin/true } sleep:10000000
	await
	tid=$(ls "/proc/$BG/task" | grep -v "^$BG\$")
	api start "$tid" 60000000000
	answers start=0
	taskset -pac 1 "$BG" > /dev/null
	echo "exec $BG 60000000000" > "$RUN" &
	api=$!
	sleep 0.3
	go
	wait "$api"
	finish
	OUT=$(<"$RUN")
	answers stop=0 start=0
	sleep 0.05
	stats_are w started=1 execed=1 exited=0
	grew kernel started=2 stopped=1 execed=1
	eq "inflight" "$(<"$CTL/inflight")" ""
}

# A descriptor's last close, by an exit that has been told of already
start_while_exiting()
{
	load_api
	bash -c 'exec 9< /dev/tlob_api' || die "open"
	sleep 0.1
	api late
	answers start=-3
	grew kernel started=0
	eq "inflight" "$(<"$CTL/inflight")" ""
}

# Beside windows of a binding and of the device on the same task
together()
{
	load_api
	bind "p:w $P1 threshold=1s"
	bg start ready wait stop ready wait
	await
	api start "$BG" 60000000000
	answers start=0
	eq "windows" "$(sed 's/.*binding=\([^ ]*\).*/\1/' "$CTL/inflight" | sort | xargs)" "kernel w"
	go
	await
	eq "windows" "$(sed 's/.*binding=\([^ ]*\).*/\1/' "$CTL/inflight" | xargs)" kernel
	api stop "$BG"
	answers stop=0
	go
	finish
	stats_are w started=1 stopped=1
	grew kernel started=1 stopped=1
}

budgets()
{
	load_api
	bg ready wait
	await
	for ns in 0 999 3600000000001 18446744073709551615; do
		api start "$BG" "$ns"
		answers start=-34
	done
	grew kernel started=0
	for ns in 1000 3600000000000; do
		api start "$BG" "$ns"
		answers start=0
		api stop "$BG"
	done
	answers stop=0
	grew kernel started=2 stopped=2
	go
	finish
}

disabled()
{
	load_api
	echo 0 > "$CTL/enable"
	bg ready wait
	await
	api start "$BG" 1000000
	answers start=-19
	api stop "$BG"
	answers stop=-3
	echo 1 > "$CTL/enable"
	go
	finish
}

no_space()
{
	tlob_reload max_monitored=10
	load_api
	api flood 25 3600000000000
	answers started=10 nospace=15 stopped=10
	grew kernel started=10 stopped=10 missed_pool=15
	api flood 10 3600000000000
	answers started=10 nospace=0 stopped=10
}

# tlob stays while a module uses it.
rmmod_while_used()
{
	load_api
	if rmmod tlob 2> "$T/rmmod"; then
		die "rmmod of tlob with its user loaded"
	fi
	matches "rmmod" "$(<"$T/rmmod")" "in use by: tlob_api"
}

# Windows that the module left open are no obstacle to unload, nor its end.
unload_with_windows()
{
	load_api
	bg ready wait
	await
	api start "$BG" 100000000
	rmmod tlob_api || fail "rmmod tlob_api"
	tlob_unload || fail "rmmod tlob"
	sleep 0.2
	go
	finish
	tlob_load || die "insmod"
	insmod "$TLOB_DIR/tlob_api.ko" || die "insmod tlob_api"
}

# What takes two CPUs; the rest is the same on one.
tcase running "a task on a CPU at the start"
tcase woken_early "woken before it sleeps"
tcase spinlock "asleep for a spinlock"
tcase within_execve "stopped and started within an execve"
if [ "${MODE:-up}" != duo ]; then
	tcase sleeping "a task asleep at the start"
	tcase runnable "a runnable task at the start"
	tcase undecided "held up before it sleeps"
	tcase self "a kthread on itself"
	tcase irq "stopped from an interrupt and under a raw spinlock"
	tcase exits "ESRCH of an exiting task"
	tcase by_pid "a window on a program"
	tcase exec_and_disable "execve and disable end it"
	tcase start_while_exiting "ESRCH of an exiting task itself"
	tcase together "together with a binding"
	tcase budgets "ERANGE"
	tcase disabled "ENODEV while disabled"
	tcase no_space "ENOSPC"
	tcase rmmod_while_used "rmmod of tlob while it is used"
	tcase unload_with_windows "unload with a window open"
fi
run_cases
