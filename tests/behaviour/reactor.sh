#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# mode: up
# timeout: 120
#
# reactors: nop says nothing, printk one line for each overrun, in RV's words.
# panic is in tests/vm/panic-in-guest, a boot of its own.

. "$(dirname "$0")/lib.sh"

MESSAGE='rv: monitor tlob does not allow event budget_exceeded on state'

# choose NAME: what write(2) of it returned
choose()
{
	printf '%s\n' "$1" | "$BIN/wr" "$CTL/reactors"
}

# From here on, the kernel log is looked at.
mark_log()
{
	LOG_MARK="tlob-test: mark $RANDOM$RANDOM"
	echo "<7>$LOG_MARK" > /dev/kmsg
}

# The lines that came since, without their time
log()
{
	dmesg | sed "1,/$LOG_MARK/d; s/^\[[^]]*\]\(\[ *[CT][0-9]*\]\)\? //"
}

said()
{
	log | grep -F 'rv: monitor tlob'
}

# said_all: a line for each error_env_tlob of the trace, with its numbers
said_all()
{
	sleep 0.2
	eq "lines in the log" "$(said | sort)" "$(events error_env_tlob | sed -n \
		"s/.*event budget_exceeded not expected in the state \([a-z]*\) with env \(clk_elapsed=[0-9]*\)$/$MESSAGE \1 with env \2/p" | sort)"
}

nop()
{
	eq "reactors" "$(xargs < "$CTL/reactors")" "[nop] printk panic"
	mark_log
	bind "p:w $P1 threshold=1ms"
	sec start busy:2000 stop start sleep:2000 stop
	check_reports 2
	sleep 0.2
	eq "the log" "$(said)" ""
}

printk()
{
	eq "write" "$(choose printk)" 7
	eq "reactors" "$(xargs < "$CTL/reactors")" "nop [printk] panic"
	mark_log
	bind "p:w $P1 threshold=1ms"
	sec start busy:20 stop fifo:70 start busy:2000 stop start sleep:2000 stop
	check_reports 2
	said_all
	matches "the first line" "$(said | head -n 1)" \
		"^rv: monitor tlob does not allow event budget_exceeded on state running with env clk_elapsed=[0-9]+\$"
	matches "the second line" "$(said | tail -n 1)" " on state sleeping with env clk_elapsed=1[0-9]{6}\$"
}

# One line each, and no other
printk_many()
{
	choose printk > /dev/null
	mark_log
	bind "p:w $P1 threshold=1ms"
	sec loop:50 { start busy:1200 stop start busy:20 stop }
	ge "violations" "$(stat_of w violations)" 50
	check_reports "$(stat_of w violations)"
	said_all
}

# Overruns of all kinds: found by the timer, by the stop, of the device
printk_all_kinds()
{
	choose printk > /dev/null
	mark_log
	bind "p:w $P1 threshold=1us"
	bind "p:c $SEC:$CALL $CALL%return threshold=2ms"
	sec start stop start busy:100 stop call { sleep:5000 }
	"$BIN/dev" open:a start:a:1000000 sleep:3000 stop:a start:a:1000 stop:a > /dev/null
	ge "violations" "$(stat_of w violations)" 1
	check_reports "$(nr_events done_tlob)"
	said_all
}

# Many threads at one deadline, more than printk's queue has place for: what is
# not said line by line is at least counted.
printk_burst()
{
	local lines more

	choose printk > /dev/null
	mark_log
	bind "p:w $P1 threshold=100ms"
	sec threads:200 { start hold stop } settle:200 sleep:200000 release join
	check_reports 200
	sleep 0.5
	lines=$(said | grep -cF "$MESSAGE")
	more=$(said | sed -n 's/^rv: monitor tlob: \([0-9]*\) more$/\1/p' | awk '{ n += $1 } END { print n + 0 }')
	diag "$lines lines, $more more"
	eq "overruns that were said" $((lines + more)) 200
	ge "lines" "$lines" 60
}

# As far as the kernel's own tracepoint tells
printk_context()
{
	local line

	choose printk > /dev/null
	bind "p:w $P1 threshold=1ms"
	echo 1 > "$TRACE/events/printk/console/enable" || skip "no event console"
	sec start sleep:3000 stop
	sleep 0.3
	line=$(grep ' console: .*rv: monitor tlob' "$TRACE/trace" | head -n 1)
	echo 0 > "$TRACE/events/printk/console/enable"
	diag "$line"
	[ -n "$line" ] || skip "this kernel does not trace the line"
	# Flags: interrupts off, need resched, hard or soft interrupt
	matches "no interrupt" "$line" '\] [^ ][^ ][^hHsZz]'
}

# The choice counts at once, and outlives disable.
changes()
{
	choose printk > /dev/null
	bind "p:w $P1 threshold=10ms"
	bg start ready wait stop start busy:15000 stop ready wait start busy:15000 stop ready wait
	await
	sleep 0.1
	mark_log
	choose nop > /dev/null
	go
	await
	sleep 0.1
	eq "the log of nop" "$(said)" ""
	stats_are w started=2 stopped=2 violations=2
	choose printk > /dev/null
	echo 0 > "$CTL/enable"
	echo 1 > "$CTL/enable"
	eq "reactors" "$(xargs < "$CTL/reactors")" "nop [printk] panic"
	go
	await
	sleep 0.1
	eq "lines of printk" "$(said | grep -c .)" 1
	go
	finish
	stats_are w started=3 stopped=3 violations=3
}

unknown()
{
	local name

	choose printk > /dev/null
	for name in nope print printkk "printk nop" PRINTK "" 1 panic2 averyverylongnameofareactor; do
		eq "write of '$name'" "$(choose "$name")" -EINVAL
	done
	eq "reactors" "$(xargs < "$CTL/reactors")" "nop [printk] panic"
	eq "mode" "$(stat -c %a "$CTL/reactors")" 600
}

back_to_nop()
{
	eq "write" "$(choose nop)" 4
}

# Every case starts from nop. Under RV the reactors are RV's own: without it, then.
eval "fresh_module() $(declare -f fresh | sed 1d)"
fresh()
{
	fresh_module || return
	if [ "${CTL#"$TRACEFS"}" != "$CTL" ]; then
		tlob_unload && tlob_load rv=off || return
		echo 1 > "$CTL/enable"
	fi
	echo nop > "$CTL/reactors"
}

tcase nop "nop is silent"
tcase printk "printk"
tcase printk_many "printk says each overrun once"
tcase printk_all_kinds "printk of the stop and of the device"
tcase printk_burst "printk of 200 overruns at once"
tcase printk_context "printk does not speak from an interrupt"
tcase changes "the reactor is changed"
tcase unknown "an unknown reactor"
tcase back_to_nop "back to nop"
run_cases
