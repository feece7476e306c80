#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# mode: up smp
# timeout: 180
#
# As a monitor of the kernel's Runtime Verification, on kernels that have it.

. "$(dirname "$0")/lib.sh"

RV=$TRACEFS/rv
MON=$RV/monitors/tlob

# What the tests are about is there, and nothing else of the name.
need_rv()
{
	[ -d "$RV" ] || skip "this kernel has no runtime verification"
	[ "$CTL" = "$MON" ] || die "the control files are in $CTL"
}

registered()
{
	local file said="tlob: .*runtime verification cannot be used" before

	need_rv
	tlob_unload
	before=$(dmesg | grep -c "$said")
	tlob_load || die "insmod"
	eq "available_monitors" "$(grep -cx tlob "$RV/available_monitors")" 1
	for file in enable desc reactors monitor bindings stats hist inflight error_log; do
		[ -f "$MON/$file" ] || fail "no $file"
	done
	eq "read-only files" "$(cd "$MON" && stat -c '%n %a' bindings stats hist inflight error_log | xargs)" \
		"bindings 400 stats 400 hist 400 inflight 400 error_log 400"
	matches "desc" "$(tr -d '\0' < "$MON/desc")" "^task latency over budget"
	[ ! -e /sys/kernel/debug/tlob ] || fail "there are files in debugfs, too"
	eq "lines that it is not" $(($(dmesg | grep -c "$said") - before)) 0
}

enabling()
{
	need_rv
	bind "p:w $P1 threshold=5ms"
	eq "enable" "$(tr -d '\0' < "$MON/enable")" 1
	eq "enabled_monitors" "$(grep -cx tlob "$RV/enabled_monitors")" 1
	echo '!tlob' > "$RV/enabled_monitors" || fail "disable by enabled_monitors"
	eq "enable" "$(tr -d '\0' < "$MON/enable")" 0
	sec start sleep:20000 stop
	stats_are w started=0
	echo tlob > "$RV/enabled_monitors" || fail "enable by enabled_monitors"
	sec start sleep:20000 stop
	stats_are w started=1 stopped=1 violations=1
	check_reports 1
	eq "enable by the device" "$(echo enable=0 | "$BIN/wr" /dev/tlob)" 9
	eq "enable" "$(tr -d '\0' < "$MON/enable")" 0
	eq "enable by the device" "$(echo enable=1 | "$BIN/wr" /dev/tlob)" 9
	eq "enable" "$(tr -d '\0' < "$MON/enable")" 1
	sec start stop
	stats_are w started=2
}

# Beside another monitor: each does what it does. Written to with `>`, the list of
# RV is emptied first.
beside_another()
{
	need_rv
	defer "echo '!wwnr' >> $RV/enabled_monitors"
	bind "p:w $P1 threshold=5ms"
	echo 1 > "$TRACE/events/rv/event_wwnr/enable"
	echo wwnr >> "$RV/enabled_monitors" || fail "wwnr"
	eq "enabled monitors" "$(sort "$RV/enabled_monitors" | xargs)" "tlob wwnr"
	sec start sleep:20000 stop
	stats_are w started=1 stopped=1 violations=1
	check_reports 1
	ge "what the other one sees" "$(nr_events event_wwnr)" 1
	echo 0 > "$TRACE/events/rv/event_wwnr/enable"
	echo wwnr > "$RV/enabled_monitors"
	eq "enabled monitors, emptied first" "$(xargs < "$RV/enabled_monitors")" wwnr
	eq "enable" "$(tr -d '\0' < "$MON/enable")" 0
	echo tlob >> "$RV/enabled_monitors" || fail "tlob"
	sec start sleep:20000 stop
	stats_are w started=2 stopped=2 violations=2
}

# Disabling by RV ends windows.
disable_in_window()
{
	need_rv
	bind "p:w $P1 threshold=1s"
	bg start ready wait stop
	await
	echo 0 > "$MON/enable"
	eq "inflight" "$(<"$MON/inflight")" ""
	sleep 1.2
	go
	finish
	stats_are w started=1 cancelled=1 violations=0
	check_reports 0
	echo 1 > "$MON/enable"
}

# What overruns meanwhile is not heard of, then or later; what does not is.
monitoring_off()
{
	local before

	need_rv
	before=$(lines_of_printk)
	defer "echo 1 > $RV/monitoring_on"
	defer "echo nop > $MON/reactors"
	bind "p:w $P1 threshold=1s"
	bind "p:long $P2 threshold=4s"
	echo printk > "$MON/reactors"
	bg start start2 ready wait stop ready wait start stop sleep:4000000 stop2
	await
	echo 0 > "$RV/monitoring_on"
	sleep 1.2
	eq "windows" "$(grep -c . "$MON/inflight")" 2
	echo 1 > "$RV/monitoring_on"
	sleep 0.05
	go
	await
	eq "lines so far" $(($(lines_of_printk) - before)) 0
	eq "reports so far" "$(nr_events detail_env_tlob) $(nr_events done_tlob)" "0 0"
	stats_are w started=1 stopped=1 violations=1
	go
	finish
	stats_are w started=2 stopped=2 violations=1
	stats_are long started=1 stopped=1 violations=1
	check_reports 1
	matches "the one report" "$(events detail_env_tlob)" " binding=long "
	eq "done_tlob events" "$(nr_events done_tlob)" 1
	ge "sleeping_ns of w" "$(stat_of w sleeping_ns)" 1000000000
	sleep 0.2
	eq "lines" $(($(lines_of_printk) - before)) 1
}

# A window of /dev/tlob that overruns meanwhile is in no queue; what its stop says is
# what it always says.
monitoring_off_device()
{
	need_rv
	defer "echo 1 > $RV/monitoring_on"
	echo 0 > "$RV/monitoring_on"
	bg_exec "$BIN/dev" open:a:nonblock start:a:1000000 sleep:5000 stop:a poll:a:0 read:a:56 \
		ready wait read:a:56
	await
	echo 1 > "$RV/monitoring_on"
	go
	finish
	matches "the stop" "$OUT" "stop=-EOVERFLOW"
	matches "poll" "$OUT" "poll=0"
	eq "reads, then and later" "$(grep -c "read=-EAGAIN" <<< "$OUT")" 2
	stats_are dev started=1 stopped=1 violations=1
	check_reports 0
	OUT=$("$BIN/dev" open:a:nonblock start:a:1000000 sleep:5000 stop:a read:a:56)
	matches "read, monitoring on" "$OUT" "read=56"
	check_reports 1
}

lines_of_printk()
{
	dmesg | grep -c 'rv: monitor tlob does not allow'
}

# RV's printk speaks, and choosing a reactor leaves everything as it was.
reactors()
{
	local before where=sleeping

	need_rv
	# With a host that pauses a guest of two CPUs it may be anywhere.
	[ "${MODE:-up}" != smp ] || where='(running|waiting|sleeping)'
	before=$(lines_of_printk)
	bind "p:w $P1 threshold=5ms"
	sec start sleep:20000 stop
	sleep 0.2
	eq "lines with nop" $(($(lines_of_printk) - before)) 0
	echo printk > "$MON/reactors" || fail "printk"
	eq "reactors" "$(grep -c '^\[printk\]$' "$MON/reactors")" 1
	eq "enable" "$(tr -d '\0' < "$MON/enable")" 1
	eq "bindings" "$(grep -c . "$MON/bindings")" 1
	sec start sleep:20000 stop start stop
	sleep 0.5
	eq "lines with printk" $(($(lines_of_printk) - before)) 1
	matches "the line" "$(dmesg | grep 'rv: monitor tlob does not allow' | tail -n 1)" \
		"rv: monitor tlob does not allow event budget_exceeded on state $where with env clk_elapsed=[0-9]+\$"
	echo nop > "$MON/reactors" || fail "nop"
	sec start sleep:20000 stop
	sleep 0.2
	eq "lines after nop" $(($(lines_of_printk) - before)) 1
	stats_are w started=4 stopped=4 violations=3
	# A window that is open meanwhile is ended, and counted.
	bind "p:long $P2 threshold=3600s"
	bg start2 ready wait stop2
	await
	echo printk > "$MON/reactors" || fail "printk"
	eq "inflight" "$(<"$MON/inflight")" ""
	go
	finish
	stats_are long started=1 cancelled=1 violations=0
	eq "bindings" "$(grep -c . "$MON/bindings")" 2
	echo nop > "$MON/reactors" || fail "nop"
}

# Open, each file keeps the module; closed, none does.
open_files()
{
	local file

	need_rv
	for file in enable desc reactors monitor bindings stats hist inflight error_log; do
		exec 9< "$MON/$file"
		if rmmod tlob 2> "$T/rmmod"; then
			exec 9<&-
			die "rmmod with $file open"
		fi
		matches "rmmod with $file open" "$(<"$T/rmmod")" "in use"
		read -r -n 1 -u 9
		exec 9<&-
	done
	# Who stands in its directory is in nobody's way.
	cd "$MON" || die "cd"
	tlob_unload || fail "rmmod"
	[ ! -e enable ] && [ ! -e monitor ] || fail "files are there without the module"
	tlob_load || die "insmod"
	[ ! -e enable ] && [ ! -e monitor ] || fail "files of another directory are there"
	cd / || die "cd /"
}

# load_held: RV has registered tlob, which has yet to know; 9 is open on FILE of it.
load_held()
{
	local n

	echo 0 > "$HOLD/go"
	insmod "$TLOB_KO" & LOADING=$!
	for ((n = 0; n < 500 * SLOW; n++)); do
		[ "$(<"$HOLD/held")" != Y ] || break
		sleep 0.02
	done
	[ "$(<"$HOLD/held")" = Y ] || {
		echo 1 > "$HOLD/go"
		die "rv_register_monitor() was not held"
	}
	exec 9< "$MON/$1"
	echo 1 > "$HOLD/go"
}

# A descriptor that was there before its file had an owner: closed at once, it does
# no harm; else the module stays for good.
held_before_owned()
{
	local file before said="a file of RV was in use before it had an owner" HOLD LOADING

	need_rv
	tlob_unload
	insmod "$TLOB_DIR/tlob_hold.ko" || die "insmod tlob_hold"
	defer "rmmod tlob_hold"
	HOLD=/sys/module/tlob_hold/parameters
	before=$(dmesg | grep -c "$said")
	for file in enable desc reactors; do
		load_held "$file"
		sleep 0.2
		kill -0 "$LOADING" || fail "$file: tlob did not see that it was in use"
		exec 9<&-
		wait "$LOADING" || fail "insmod with $file open for a while"
		eq "warnings of $file that was closed" $(($(dmesg | grep -c "$said") - before)) 0
		rmmod tlob || die "rmmod after $file was closed"
	done
	for file in enable desc reactors; do
		load_held "$file"
		wait "$LOADING" || fail "insmod with $file open"
		eq "warnings of $file" $(($(dmesg | grep -c "$said") - before)) 1
		before=$((before + 1))
		! rmmod tlob 2> "$T/rmmod" || die "rmmod with $file open"
		matches "rmmod with $file open" "$(<"$T/rmmod")" "in use"
		ge "bytes read of $file" "$(wc -c <&9)" 1
		exec 9<&-
		! rmmod tlob 2> "$T/rmmod" || die "rmmod once $file is closed"
		echo "$MON/enable" > "$HOLD/put" || fail "put"
		rmmod tlob || die "rmmod without that reference"
	done
	tlob_load || die "insmod"
}

unload_enabled()
{
	need_rv
	bind "p:w $P1 threshold=20ms"
	bg start ready wait stop
	await
	tlob_unload || fail "rmmod"
	eq "available_monitors" "$(grep -cx tlob "$RV/available_monitors")" 0
	eq "enabled_monitors without it" "$(grep -cx tlob "$RV/enabled_monitors")" 0
	[ ! -e "$MON" ] || fail "its directory is left"
	sleep 0.05
	go
	finish
	tlob_load enable=1 || die "insmod"
	eq "enable" "$(tr -d '\0' < "$MON/enable")" 1
	eq "enabled_monitors" "$(grep -cx tlob "$RV/enabled_monitors")" 1
}

# While files of a monitor that comes and goes are opened, read and written
unload_under_fire()
{
	local file i tries pids=()

	need_rv
	tlob_unload
	for i in 1 2; do
		while :; do
			for file in "$MON"/*; do
				read -r -n 10 < "$file" && echo "${file##*/}" >> "$T/read"
				echo 1 > "$file"
			done
			cat "$RV"/{available,enabled}_monitors
			sleep 0.02	# unused for once, so that it can be unloaded
			while [ -e "$T/rest" ]; do
				sleep 0.02
			done
		done > /dev/null 2>&1 &
		pids+=($!)
	done
	# Until each of RV's was open now and then
	: > "$T/read"
	for ((i = 0; i < (SLOW > 1 ? 5 : 15) || (i < 60 && $(grep -cE '^(enable|desc|reactors)$' <(sort -u "$T/read")) < 3); i++)); do
		insmod "$TLOB_KO" enable=1 || fail "insmod $i"
		sleep 0.05
		tries=0
		until rmmod tlob 2> /dev/null; do
			# Chance may keep one of them in use for long.
			[ $((++tries)) -lt 50 ] || : > "$T/rest"
			[ $tries -lt 5000 ] || die "rmmod $i"
			sleep 0.01
		done
		rm -f "$T/rest"
	done
	kill -KILL "${pids[@]}"
	wait "${pids[@]}" 2> /dev/null
	tlob_load || die "insmod"
	for file in enable desc reactors; do
		ge "times that $file was read" "$(grep -c "^$file$" "$T/read")" 1
	done
}

parameter()
{
	need_rv
	tlob_unload
	tlob_load rv=off enable=1 || die "rv=off"
	eq "control files with rv=off" "$CTL" /sys/kernel/debug/tlob
	[ ! -e "$MON" ] || fail "it is a monitor of RV all the same"
	bind "p:w $P1 threshold=5ms"
	sec start sleep:20000 stop
	check_reports 1
	tlob_unload
	tlob_load rv=only || die "rv=only"
	eq "control files with rv=only" "$CTL" "$MON"
}

# Where the kernel has a monitor of our name, nothing of ours is left behind.
twin()
{
	local how said="tlob: the kernel has a monitor named tlob" before

	need_rv
	tlob_unload
	insmod "$TLOB_DIR/tlob_twin.ko" || die "the other monitor"
	defer "rmmod tlob_twin 2> /dev/null"
	for how in "" rv=only enable=1; do
		before=$(dmesg | grep -c "$said")
		# shellcheck disable=SC2086 # none or one
		if insmod "$TLOB_KO" $how 2> "$T/insmod"; then
			fail "insmod $how: there are two"
			tlob_unload
			continue
		fi
		matches "insmod $how" "$(<"$T/insmod")" "Device or resource busy"
		eq "lines that say why" $(($(dmesg | grep -c "$said") - before)) 1
		[ ! -e /dev/tlob ] && [ ! -e /sys/kernel/debug/tlob ] ||
			fail "insmod $how left something behind"
		matches "the other one" "$(tr -d '\0' < "$MON/desc")" "^a twin"
	done
	tlob_load rv=off || die "rv=off beside the other"
	eq "control files with rv=off" "$CTL" /sys/kernel/debug/tlob
	tlob_unload
	rmmod tlob_twin
	tlob_load || die "once the other is gone"
}

# Where RV takes no monitor, what it is told is not for tlob.
refused()
{
	need_rv
	defer "echo 1 > $RV/monitoring_on"
	tlob_unload
	insmod "$TLOB_DIR/tlob_refuse.ko" || die "insmod tlob_refuse"
	echo 0 > "$RV/monitoring_on"
	if insmod "$TLOB_KO" rv=only 2> "$T/insmod"; then
		fail "rv=only"
		tlob_unload
	fi
	matches "insmod rv=only" "$(<"$T/insmod")" "No such device"
	eq "lines that say why" "$(dmesg | grep -c "tlob: rv=only, but this kernel's runtime verification cannot be used")" 1
	tlob_load enable=1 || die "insmod"
	rmmod tlob_refuse
	eq "control files" "$CTL" /sys/kernel/debug/tlob
	touch "$ROOT/reload"
	bind "p:w $P1 threshold=5ms"
	sec start sleep:20000 stop
	check_reports 1
	OUT=$("$BIN/dev" open:a:nonblock start:a:1000000 sleep:5000 stop:a read:a:56)
	matches "what /dev/tlob tells" "$OUT" "read=56"
}

# RV's functions are linked where the kernel exports them, and else found; in either
# case a call is direct, which IBT and kCFI do not look at.
called_directly()
{
	local fn exported=0

	need_rv
	[ "$KERNEL" != rv-exported ] || exported=1
	for fn in rv_register_monitor rv_unregister_monitor; do
		eq "$fn is linked" "$(nm -u "$TLOB_KO" | grep -c " $fn\$")" $exported
	done
	objdump -dr "$TLOB_KO" > "$T/code" || die "objdump"
	for fn in tlob_rv_{register,unregister,monitoring_on} tlob_tracefs_create_file; do
		ge "direct calls of $fn" "$(grep -c "R_X86_64_PLT32[[:space:]]__SCT__$fn-" "$T/code")" 1
	done
	eq "functions that call them, without an indirect call" "$(awk '
		/^[0-9a-f]+ </ {
			fn = $2
			n += ours = fn ~ /^<(tlob_rv_(un)?register|tlob_rv_create_file|tlob_rv_monitoring_on|init_module|cleanup_module)>/
		}
		ours && /__x86_indirect_thunk|(call|jmp) +\*/ { print fn }
		END { print n }' "$T/code")" 6
}

tcase registered "tlob is a monitor"
tcase called_directly "RV is called directly"
tcase enabling "enabled and disabled by RV"
tcase beside_another "beside another monitor"
tcase disable_in_window "disabling ends windows"
tcase monitoring_off "monitoring_on 0 and 1 with windows open"
tcase monitoring_off_device "monitoring_on 0 and /dev/tlob"
tcase reactors "RV's reactors"
tcase open_files "open files keep the module"
tcase held_before_owned "a file of RV that is open before it has an owner"
tcase unload_enabled "unload while enabled"
tcase unload_under_fire "load and unload while its files are in use"
tcase parameter "rv=off and rv=only"
tcase refused "RV takes no monitor"
tcase twin "another monitor named tlob"
run_cases
