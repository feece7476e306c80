#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# mode: smp
# timeout: 240
# long-timeout: 3600
#
# Windows by the hundred thousand, at length ten million on one boot: each one
# is counted, none is lost, and as many are reported as went over their budget.

. "$(dirname "$0")/lib.sh"

MILLIONS=$BIN/millions

# A kernel that looks for faults takes too long over millions.
WINDOWS=100000
[ "${TLOB_LONG:-}" != 1 ] || [[ ! $KERNEL =~ ^[0-9] ]] || WINDOWS=5000000

# in_hist NAME: windows that its histogram counts
in_hist()
{
	awk -v b="$1" '$1 == b { n += $4 } END { printf "%d\n", n }' "$CTL/hist"
}

# The reports of the trace are too many to be kept; they are counted as they come.
reports_to()
{
	record error_env_tlob
	cat "$TRACE/trace_pipe" > "$1" &
	defer "kill $! 2> /dev/null"
}

# nr_reports FILE WANT: how many have come when there is time for WANT
nr_reports()
{
	local tries=300

	while [ "$(grep -c ' error_env_tlob: ' "$1")" -lt "$2" ] && ((tries-- > 0)); do
		sleep 0.1
	done
	sleep 0.5
	grep -c ' error_env_tlob: ' "$1"
}

by_probes()
{
	local -A OFF
	local over=$((WINDOWS / 1000))

	tlob_reload
	offsets_of "$MILLIONS"
	bind "p:in $MILLIONS:${OFF[mil_start]} ${OFF[mil_stop]} threshold=3600s"
	bind "p:over $MILLIONS:${OFF[mil_over_start]} ${OFF[mil_over_stop]} threshold=20us"
	reports_to "$T/reports"
	OUT=$("$MILLIONS" probes "$WINDOWS")
	eq "the program" "$OUT" "result in_budget=$((WINDOWS - over)) over=$over refused=0"
	stats_are in started=$((WINDOWS - over)) stopped=$((WINDOWS - over)) violations=0 \
		restarted=0 missed_pool=0 unmatched_stops=0 anomalies=0
	stats_are over started="$over" stopped="$over" violations="$over" \
		restarted=0 missed_pool=0 unmatched_stops=0 anomalies=0
	eq "windows in the histogram" "$(in_hist in) $(in_hist over)" "$((WINDOWS - over)) $over"
	eq "reports" "$(nr_reports "$T/reports" "$over")" "$over"
	bind "-*"
	stats_are removed started="$WINDOWS" stopped="$WINDOWS" violations="$over"
}

by_dev()
{
	local over=$((WINDOWS / 1000))

	tlob_reload
	reports_to "$T/reports"
	OUT=$("$MILLIONS" dev "$WINDOWS")
	eq "the program" "$OUT" "result in_budget=$((WINDOWS - over)) over=$over refused=0"
	stats_are dev started="$WINDOWS" stopped="$WINDOWS" violations="$over" \
		restarted=0 missed_pool=0 unmatched_stops=0 anomalies=0
	eq "windows in the histogram" "$(in_hist dev)" "$WINDOWS"
	eq "reports" "$(nr_reports "$T/reports" "$over")" "$over"
}

# All threads in one window at a time each, no room for one more.
full_pool()
{
	local -A OFF

	tlob_reload max_monitored=2
	offsets_of "$MILLIONS"
	bind "p:in $MILLIONS:${OFF[mil_start]} ${OFF[mil_stop]} threshold=3600s"
	OUT=$("$MILLIONS" -n 2 -e 1000000000 probes $((WINDOWS / 5)))
	stats_are in started=$((WINDOWS / 5)) stopped=$((WINDOWS / 5)) violations=0 missed_pool=0
}

tcase by_probes "windows of two threads, by probes"
tcase by_dev "windows of two threads, of /dev/tlob"
tcase full_pool "as many windows as there is room for"
run_cases
