#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# mode: up
# timeout: 300
#
# How windows end other than by their stop, and who outlives what: exit, exec,
# fork, removal, disable, unload.

. "$(dirname "$0")/lib.sh"

exit_in_window()
{
	bind "p:w $P1 threshold=1s"
	sec fork { start } fork { start exit:3 } thread { start texit } thread { start } join reap
	stats_are w started=4 exited=4 stopped=0
	eq "inflight" "$(<"$CTL/inflight")" ""
}

exit_group_in_window()
{
	bind "p:w $P1 threshold=1s"
	sec fork { threads:20 { start hold } settle:20 start exit:0 } reap
	stats_are w started=21 exited=21
}

sigkill_in_window()
{
	bind "p:w $P1 threshold=10ms"
	bg threads:5 { start hold } settle:5 start ready sleep:10000000
	await
	sleep 0.1
	stats_are w started=6 open=6 violations=6
	kill -KILL "$BG"
	wait "$BG"
	sleep 0.05
	stats_are w started=6 exited=6 stopped=0 violations=6
	check_reports 6
	eq "done_tlob events" "$(nr_events done_tlob)" 0
}

exec_leader()
{
	bind "p:w $P1 threshold=1s"
	sec fork { start exec:/bin/true } reap
	stats_are w started=1 execed=1 exited=0
	eq "child" "$OUT" "child exit=0"
}

# The program that follows is the same one, and has no window of the old one.
exec_same_program()
{
	bind "p:w $P1 threshold=1s"
	printf '#!/bin/sh\nexec %s stop start stop\n' "$SEC" > "$T/again"
	chmod +x "$T/again"
	sec fork { start exec:"$T/again" } reap
	stats_are w started=2 execed=1 stopped=1 unmatched_stops=1
}

# The thread takes the leader's tid. The leader's window ends by its death.
exec_thread()
{
	bind "p:w $P1 threshold=1s"
	sec fork { start thread { start exec:/bin/true } sleep:10000000 } reap
	stats_are w started=2 execed=1 exited=1
	eq "child" "$OUT" "child exit=0"
}

exec_thread_leader_without()
{
	bind "p:w $P1 threshold=1s"
	sec fork { threads:3 { start hold } thread { settle:3 start exec:/bin/true } sleep:10000000 } reap
	stats_are w started=4 execed=1 exited=3
}

# The exec fails behind the point of no return: the thread has the leader's tid
# by then, there is no exec event, and it is killed.
exec_thread_fails_late()
{
	bind "p:w $P1 threshold=1s"
	sec badelf:"$T/bad" fork { thread { start exec:"$T/bad" } sleep:10000000 } reap
	eq "child" "$OUT" "child signal=11"
	stats_are w started=1 exited=1 execed=0
	eq "inflight" "$(<"$CTL/inflight")" ""
	sec fork { start thread { start exec:"$T/bad" } sleep:10000000 } reap
	stats_are w started=3 exited=3 execed=0
	eq "inflight" "$(<"$CTL/inflight")" ""
	sec fork { start exec:"$T/bad" } reap
	stats_are w started=4 exited=4 execed=0
}

# A hundred of them: with a pool of 2, none leaks a window.
exec_fails_late_leaks_nothing()
{
	tlob_reload max_monitored=2
	bind "p:w $P1 threshold=1s"
	sec badelf:"$T/bad" loop:50 { fork { start thread { start exec:"$T/bad" } sleep:10000000 } reap }
	stats_are w started=100 exited=100 missed_pool=0
}

exec_that_fails_early()
{
	bind "p:w $P1 threshold=1s"
	printf 'no program' > "$T/text"
	chmod +x "$T/text"
	sec fork { start thread { exec:"$T/text" } sleep:1000000 stop } reap
	# execl's failure ends the whole child, whose window was never taken away.
	stats_are w started=1 exited=1 execed=0
}

fork_in_window()
{
	bind "p:w $P1 threshold=1s"
	sec start fork { stop start stop exit:0 } reap sleep:1000 stop
	stats_are w started=2 stopped=2 unmatched_stops=1
	sec start fork { exit:0 } reap stop
	stats_are w started=3 stopped=3 exited=0
}

# A child forked in the window has none, also while its parent's is open.
fork_inflight()
{
	bind "p:w $P1 threshold=10ms"
	bg start fork { sleep:200000 } ready wait stop reap
	await
	sleep 0.05
	eq "windows" "$(grep -c . "$CTL/inflight")" 1
	matches "the window" "$(<"$CTL/inflight")" "^pid=$BG "
	go
	finish
	stats_are w started=1 stopped=1 violations=1
	check_reports 1
}

vfork_exec()
{
	bind "p:w $P1 threshold=1s"
	sec start vfork:/bin/true reap sleep:1000 stop
	stats_are w started=1 stopped=1 execed=0 exited=0 unmatched_stops=0
}

removed_in_window()
{
	bind "p:w $P1 threshold=1s"
	bind "p:keep $P2 threshold=60s"
	bg start start2 ready wait stop stop2
	await
	put "-:w" > /dev/null
	eq "bindings" "$(grep -c . "$CTL/bindings")" 1
	eq "windows" "$(sed 's/.*binding=\([^ ]*\).*/\1/' "$CTL/inflight")" keep
	sleep 1.2
	go
	finish
	# In budget when it was cancelled: the deadline comes and finds nothing.
	check_reports 0
	ge "cancelled of removed" "$(stat_of removed cancelled)" 1
	stats_are keep started=1 stopped=1 cancelled=0
}

# Removal says nothing more of a window that was reported.
removed_over_budget()
{
	local before

	before=$(stat_of removed violations)
	bind "p:w $P1 threshold=10ms"
	bg start ready wait stop
	await
	sleep 0.05
	check_reports 1
	put "-:w" > /dev/null
	go
	finish
	check_reports 1
	eq "done_tlob events" "$(nr_events done_tlob)" 0
	eq "violations of removed" $(($(stat_of removed violations) - before)) 1
}

rebind_in_window()
{
	bind "p:w $P1 threshold=1s"
	bg start ready wait stop start stop
	await
	put "-:w" > /dev/null
	bind "p:w $P1 threshold=1s"
	go
	finish
	stats_are w started=1 stopped=1 unmatched_stops=1
}

# A call that was entered before there was a binding returns into one.
bound_in_the_call()
{
	bg call { ready wait } call { sleep:1000 }
	await
	bind "p:w $SEC:$CALL $CALL%return threshold=1s"
	go
	finish
	stats_are w started=1 stopped=1
}

# Return probes outlive the binding whose call they were planted for.
removed_in_the_call()
{
	bind "p:w $SEC:$CALL $CALL%return threshold=1s"
	bg call:10 { ready wait }
	await
	put "-:w" > /dev/null
	go
	finish
	bind "p:w $SEC:$CALL $CALL%return threshold=1s"
	bg call:10 { ready wait }
	await
	tlob_unload || fail "rmmod with a call entered"
	go
	finish
	tlob_load || die "insmod"
}

disabled_in_window()
{
	bind "p:w $P1 threshold=1s"
	bind "p:v $P2 threshold=1s"
	bg threads:3 { start hold stop } settle:3 start2 ready wait release join stop2 \
		ready wait start stop start2 stop2
	await
	eq "windows" "$(grep -c . "$CTL/inflight")" 4
	echo 0 > "$CTL/enable"
	stats_are w started=3 cancelled=3 open=0
	stats_are v started=1 cancelled=1 open=0
	eq "inflight" "$(<"$CTL/inflight")" ""
	go
	await
	# Nothing counts while disabled.
	stats_are w started=3 stopped=0 unmatched_stops=0
	echo 1 > "$CTL/enable"
	eq "bindings" "$(grep -c . "$CTL/bindings")" 2
	go
	finish
	stats_are w started=4 stopped=1 cancelled=3
	stats_are v started=2 stopped=1 cancelled=1
}

# Windows of microseconds, of threads that nobody can preempt in them, and a
# budget that nothing but a lost stop can exhaust.
short_windows()
{
	rt_unlimited
	bind_short
	bg fifo:10 ready loop:1000000 { start3 start call { start2 stop2 } stop sleep:300 }
	await
}

bind_short()
{
	local budget=$((SLOW > 1 ? 50 : 2))ms

	bind "p:w $P1 threshold=$budget"
	bind "p:f $SEC:$CALL $CALL%return threshold=$budget"
	bind "p:x $P2 threshold=$budget"
	# Never stopped, always restarted in time
	bind "p:again $P3 threshold=$budget"
}

nothing_was_over()
{
	local name

	for name in "$@"; do
		eq "violations of $name" "$(stat_of "$name" violations)" 0
	done
	check_reports 0
}

disable_is_silent()
{
	local i

	short_windows
	for ((i = 0; i < 20; i++)); do
		sleep 0.01$i
		echo 0 > "$CTL/enable"
		sleep 0.005
		echo 1 > "$CTL/enable"
	done
	ge "started of w" "$(stat_of w started)" 100
	nothing_was_over w f x again
}

removal_is_silent()
{
	local i before

	before=$(stat_of removed violations)
	short_windows
	for ((i = 0; i < 20; i++)); do
		sleep 0.01$i
		put "-*" > /dev/null
		# Placing probes may hold up a thread for longer than its budget.
		echo 0 > "$CTL/enable"
		bind_short
		echo 1 > "$CTL/enable"
	done
	reaches w started 1
	eq "violations of removed" "$(stat_of removed violations)" "$before"
	nothing_was_over w f x again
}

unload_is_silent()
{
	local i

	short_windows
	for ((i = 0; i < 5; i++)); do
		sleep 0.01$i
		tlob_unload || die "rmmod"
		tlob_load || die "insmod"
		bind_short
		echo 1 > "$CTL/enable"
	done
	sleep 0.02
	nothing_was_over w f x again
}

unloaded_in_window()
{
	bind "p:w $P1 threshold=100ms"
	bind "p:c $SEC:$CALL $CALL%return threshold=100ms"
	bg threads:3 { start hold stop } settle:3 start call { ready wait } release join stop start stop
	await
	tlob_unload || fail "rmmod with windows open"
	eq "module" "$(loaded && echo there)" ""
	sleep 0.2
	go
	finish
	tlob_load || die "insmod"
	echo 1 > "$CTL/enable"
	eq "bindings after a reload" "$(<"$CTL/bindings")" ""
	bind "p:w $P1 threshold=100ms"
	sec start stop
	stats_are w started=1 stopped=1
}

unload_with_files_open()
{
	local f

	for f in monitor bindings stats hist inflight error_log enable reactors desc; do
		loaded || tlob_load || die "insmod"
		case $f in
		monitor | enable | reactors)
			exec 9<> "$CTL/$f" ;;
		*)
			exec 9< "$CTL/$f" ;;
		esac
		if rmmod tlob 2> /dev/null; then
			# Then what is open must do no harm.
			cat <&9 > /dev/null 2>&1
		fi
		exec 9>&-
	done
	loaded || tlob_load || die "insmod"
	tlob_unload || fail "rmmod after the files were closed"
	tlob_load || die "insmod"
}

# O_PATH keeps no module; what it leads to then is nothing of ours.
unload_with_paths_held()
{
	bg_exec "$BIN/opath" "$CTL"/*
	await
	tlob_unload || fail "rmmod"
	echo > "$BG_OUT.in"
	finish
	matches "what was held" "$OUT" "moved=0 held=9\$"
	[ "${CTL#"$TRACEFS"}" != "$CTL" ] || matches "what was opened" "$OUT" "opened=0 "
	tlob_load || die "insmod"
}

reload_loop()
{
	local i

	bg loop:100000 { start call { sleep:500 } stop }
	for ((i = 0; i < 8; i++)); do
		tlob_reload enable=1
		bind "p:w $P1 threshold=1ms"
		bind "p:c $SEC:$CALL $CALL%return threshold=100us"
		sleep 0.02
		ge "windows of round $i" "$(stat_of w stopped)" 5
		ge "violations of round $i" "$(stat_of c violations)" 5
	done
	kill -KILL "$BG"
	wait "$BG"
}

tcase exit_in_window "exit in a window"
tcase exit_group_in_window "exit of all threads in their windows"
tcase sigkill_in_window "SIGKILL in windows over budget"
tcase exec_leader "execve by the leader"
tcase exec_same_program "execve of the same program"
tcase exec_thread "execve by another thread"
tcase exec_thread_leader_without "execve by another thread, the rest has windows"
tcase exec_thread_fails_late "execve by another thread that fails after the tids were swapped"
tcase exec_fails_late_leaks_nothing "such execs leak nothing"
tcase exec_that_fails_early "execve that fails early"
tcase fork_in_window "fork in a window"
tcase fork_inflight "the forked child has no window"
tcase vfork_exec "vfork and exec in a window"
tcase removed_in_window "a binding removed with its window open"
tcase removed_over_budget "a binding removed with its window over budget"
tcase rebind_in_window "a binding removed and made anew with a window open"
tcase bound_in_the_call "a binding made inside its %return function"
tcase removed_in_the_call "a binding removed inside its %return function"
tcase disabled_in_window "disable and enable with windows open"
tcase disable_is_silent "disable under short windows reports nothing"
tcase removal_is_silent "so does removal"
tcase unload_is_silent "and the end of unload"
tcase unloaded_in_window "rmmod with windows open"
tcase unload_with_files_open "rmmod with control files open"
tcase unload_with_paths_held "rmmod with control files held by O_PATH"
tcase reload_loop "load and unload while a program runs through its sections"
run_cases
