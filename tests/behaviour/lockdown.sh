#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# mode: up
# last: lockdown stays
# timeout: 120
#
# Lockdown at integrity, as Secure Boot has it: debugfs cannot be written, and
# /dev/tlob does what `monitor` and `enable` did. Tracefs can. At confidentiality
# neither they nor the device take a binding.

. "$(dirname "$0")/lib.sh"

LOCKDOWN=/sys/kernel/security/lockdown

raise()
{
	[ ! -d /sys/kernel/security ] || mount -t securityfs none /sys/kernel/security 2> /dev/null
	if [ ! -e "$LOCKDOWN" ]; then
		[[ ! $KERNEL =~ ^([0-9]|rv) ]] || die "no $LOCKDOWN"
		skip "this kernel has no lockdown"
	fi
	echo "$1" > "$LOCKDOWN"
	matches "lockdown" "$(<"$LOCKDOWN")" "\\[$1\\]"
}

# device LINE: what write(2) of a line to /dev/tlob returned, a count or -ERRNO
device()
{
	printf '%s\n' "$1" | "$BIN/wr" /dev/tlob
}

# One case, as there is no way back: loaded and disabled, then locked down. At
# integrity all goes on by the device. At confidentiality, which closes tracefs,
# no binding is made, nor by a descriptor from before; what is bound stays so, and a
# program's own windows are its own affair.
lockdown()
{
	local line="p:w $P1 threshold=5ms"

	echo 0 > "$CTL/enable"
	raise integrity
	put "$line"
	if [[ $CTL = "$TRACEFS"/* ]]; then
		eq "write to monitor" "$GOT" $((${#line} + 1))
		put "-:w"
		eq "removal by monitor" "$GOT" 4
		echo printk > "$CTL/reactors" || fail "printk"
		echo nop > "$CTL/reactors" || fail "nop"
	else
		eq "write to monitor" "$GOT" "open: -EPERM"
	fi
	eq "write to the device" "$(device "$line")" $((${#line} + 1))
	eq "write of enable=1" "$(device enable=1)" 9
	eq "bindings" "$(<"$CTL/bindings")" "p:w $SEC:$START $STOP threshold=5000000"
	sec start sleep:20000 stop start stop
	check_reports 1
	eq "done_tlob events" "$(nr_events done_tlob)" 1
	stats_are w started=2 stopped=2 violations=1
	eq "windows in hist" "$(awk '$1 == "w" { n += $4 } END { print n }' "$CTL/hist")" 2
	eq "inflight" "$(<"$CTL/inflight")" ""
	matches "desc" "$(tr -d '\0' < "$CTL/desc")" "^task latency over budget"
	eq "write of nonsense" "$(device nonsense)" -EINVAL
	matches "error_log" "$(<"$CTL/error_log")" "nonsense"
	eq "removal" "$(device "-:w")" 4
	eq "bindings" "$(<"$CTL/bindings")" ""
	eq "write of enable=0" "$(device enable=0)" 9
	OUT=$("$BIN/dev" open:a start:a:1000000)
	eq "start while disabled" "$(tail -n 1 <<< "$OUT")" "start=-ENODEV"
	eq "write of enable=1" "$(device enable=1)" 9
	check_reports 1

	eq "write to the device" "$(device "$line")" $((${#line} + 1))
	[[ $CTL != "$TRACEFS"/* ]] || exec 8> "$CTL/monitor"
	raise confidentiality
	if [[ $CTL = "$TRACEFS"/* ]]; then
		put "-:w"
		eq "write to monitor" "$GOT" -EPERM
		echo "-:w" 2> "$T/echo" >&8 && fail "what was open took it"
		matches "write to what was open" "$(<"$T/echo")" "not permitted"
		exec 8>&-
		# RV's own are as RV leaves them.
		echo 0 > "$CTL/enable" || fail "enable=0"
		sec start stop
		echo 1 > "$CTL/enable" || fail "enable=1"
		stats_are w started=0
	fi
	eq "write to the device" "$(device "-:w")" -EPERM
	sec start sleep:20000 stop
	stats_are w started=1 stopped=1 violations=1
	OUT=$("$BIN/dev" open:a start:a:1000000 sleep:5000 stop:a)
	eq "windows of a program" "$(sed 's/ .*//' <<< "$OUT" | xargs)" "open=0 start=0 stop=-EOVERFLOW"
}

tcase lockdown "driven by /dev/tlob at integrity, closed at confidentiality"
run_cases
