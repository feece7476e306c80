#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# mode: smp
# timeout: 240
# long-timeout: 900
#
# /dev/tlob used by chance from several threads, and against its rules. SEED=n
# asks the same again.

. "$(dirname "$0")/lib.sh"

FUZZ=$BIN/devfuzz

SEED=${SEED:-$((RANDOM << 15 | RANDOM))}
LENGTH=8
[ "${TLOB_LONG:-}" != 1 ] || LENGTH=$((LENGTH * 30))

# any_calls THREADS [PARAMETER...]
any_calls()
{
	local threads=$1 victim=$T/victim key status
	local -A OFF

	shift
	tlob_reload "$@"
	# Damaged offsets go to a file that nobody runs.
	cp "$SEC" "$victim"
	offsets_of "$FUZZ"
	diag "SEED=$SEED"
	OUT=$("$FUZZ" -s "$SEED" -t "$LENGTH" -n "$threads" \
		"p:one $victim:$START $STOP threshold=1ms" \
		"p $victim:$START2 $STOP2,$STOP threshold=3600s comm=x\\040y" \
		"p:ret $victim:$CALL $CALL%return,$STOP3 threshold=1us pid=1 # x" \
		"-:one" "-$victim:$START2" "-:ret" "# nothing" "enable=2" "enable=" "" \
		"^p:own $FUZZ:${OFF[fuzz_start]} ${OFF[fuzz_stop]} threshold=20us" \
		"^-:own" "^-*" "^enable=0" "^enable=1" "^enable=1" "^enable=1" 2>&1)
	status=$?
	diag "$OUT"
	eq "exit status" "$status" 0
	eq "faults" "$(fld "$OUT" faults)" 0
	echo 1 > "$CTL/enable"
	# What the program was told is what was counted.
	for key in started stopped unmatched_stops missed_pool; do
		eq "$key of dev" "$(stat_of dev "$key")" "$(fld "$OUT" "$key")"
	done
	ge "windows" "$(fld "$OUT" started)" 10
	ge "records" "$(fld "$OUT" events)" 1
	ge "children" "$(fld "$OUT" forks)" 1
	[ "$(fld "$OUT" have_compat)" = 0 ] || ge "calls of 32 bits" "$(fld "$OUT" compat)" 10
}

four_threads()
{
	any_calls 4
}

small_pool()
{
	any_calls 8 max_monitored=2
	ge "windows that found no room" "$(stat_of dev missed_pool)" 1
}

tcase four_threads "any calls, any arguments"
tcase small_pool "any calls, and room for two windows"
run_cases
