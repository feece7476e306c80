#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# mode: up duo
# timeout: 120
#
# by and waker of detail_env_tlob and done_tlob, where the culprit is known.

. "$(dirname "$0")/lib.sh"

# blame SCENARIO THRESHOLD: run it; sets D (detail), N (done) and the tids
blame()
{
	local key tid
	local -A OFF

	rt_unlimited
	offsets_of "$BIN/blame"
	bind "p:w $BIN/blame:${OFF[blame_start]} ${OFF[blame_stop]} threshold=$2"
	OUT=$("$BIN/blame" "$1")
	declare -gA TID=()
	while IFS='=' read -r key tid; do
		TID[$key]=$tid
	done <<< "$OUT"
	D=$(events detail_env_tlob)
	N=$(events done_tlob)
	diag "${D##*: pid}"
	diag "${N##*: pid}"
	eq "pid" "$(fld "$D" pid)" "${TID[worker]}"
	check_reports 1
}

# The two last words of a report, against these
blames()
{
	eq "by and waker of $1" "by=$(fld "$2" by) waker=$(fld "$2" waker)" "by=$3 waker=$4"
}

is_kthread()
{
	local stat

	read -r stat 2> /dev/null < "/proc/$1/stat" || return 1
	read -ra stat <<< "${stat##*) }"
	((stat[6] & 0x200000))	# PF_KTHREAD
}

# The same, where the last wait may be one for the kernel's own tasks
blames_or_kernel()
{
	local by own='^(migration|kworker|ksoftirqd|ktimers|rcu).*:[0-9]+$'

	by=$(fld "$2" by)
	# A kworker may be gone by now.
	if [[ $by =~ $own ]] || is_kthread "${by##*:}"; then
		by=$3
	fi
	eq "by and waker of $1" "by=$by waker=$(fld "$2" waker)" "by=$3 waker=$4"
}

nobody()
{
	blame alone 5ms
	eq "state" "$(fld "$D" state)" running
	blames_or_kernel detail "$D" -:0 -:0
	blames_or_kernel done "$N" -:0 -:0
}

starved()
{
	blame starved 15ms
	eq "state" "$(fld "$D" state)" waiting
	blames detail "$D" "hog:${TID[hog]}" -:0
	blames_or_kernel done "$N" "hog:${TID[hog]}" -:0
}

# What happened in one window is not held against another.
next_window()
{
	local -A OFF

	rt_unlimited
	offsets_of "$BIN/blame"
	bind "p:w $BIN/blame:${OFF[blame_start]} ${OFF[blame_stop]} threshold=15ms"
	"$BIN/blame" rejoined > /dev/null
	check_reports 2
	D=$(events detail_env_tlob | tail -n 1)
	eq "state" "$(fld "$D" state)" running
	# A task of the kernel may have had the CPU meanwhile.
	for D in "$D" "$(events done_tlob | tail -n 1)"; do
		[[ $(fld "$D" by) != hog:* ]] || fail "by of the second: $D"
		eq "waker of the second" "$(fld "$D" waker)" -:0
	done
}

# On one CPU the rouser, once told, takes it for a moment: a wait before the sleep.
woken_late()
{
	local by=-:0

	blame "$1" 15ms
	[ "$(nproc)" -gt 1 ] || by=rouser:${TID[rouser]}
	eq "state" "$(fld "$D" state)" sleeping
	blames_or_kernel detail "$D" "$by" -:0
	eq "waker of done" "$(fld "$N" waker)" "rouser:${TID[rouser]}"
}

woken_late_futex()
{
	woken_late late
}

woken_late_pipe()
{
	woken_late pipe
}

# Its CPU was idle when the timer woke it.
woken_by_irq()
{
	blame timer 10ms
	eq "state" "$(fld "$D" state)" running
	blames_or_kernel detail "$D" swapper/0:0 "<irq>:0"
	blames_or_kernel done "$N" swapper/0:0 "<irq>:0"
}

queued_behind_its_waker()
{
	blame queued 15ms
	eq "state" "$(fld "$D" state)" waiting
	blames detail "$D" "hog:${TID[hog]}" "hog:${TID[hog]}"
	blames_or_kernel done "$N" "hog:${TID[hog]}" "hog:${TID[hog]}"
}

# On one CPU it is the waker who has the CPU when the wait begins.
queued_behind_another()
{
	local by=hog

	[ "$(nproc)" -gt 1 ] || by=rouser
	blame behind 15ms
	eq "state" "$(fld "$D" state)" waiting
	blames detail "$D" "hog:${TID[hog]}" "rouser:${TID[rouser]}"
	blames_or_kernel done "$N" "$by:${TID[$by]}" "rouser:${TID[rouser]}"
}

# The same words for windows of the device
device()
{
	rt_unlimited
	OUT=$("$BIN/dev" fifo:70 open:a start:a:10000000:1 sleep:1000 busy:20000 stop:a)
	check_reports 1
	eq "waker" "$(fld "$(events detail_env_tlob)" waker)" "<irq>:0"
	eq "waker of done" "$(fld "$(events done_tlob)" waker)" "<irq>:0"
}

tcase nobody "nobody"
tcase starved "starved by a hog"
tcase next_window "the next window starts without blame"
tcase woken_late_futex "woken late, by a futex"
tcase woken_late_pipe "woken late, by a pipe"
tcase woken_by_irq "woken by an interrupt"
tcase queued_behind_its_waker "queued behind its waker"
tcase queued_behind_another "queued behind another task than its waker"
tcase device "a window of the device"
run_cases
