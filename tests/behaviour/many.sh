#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# mode: up
# timeout: 300
#
# Many: bindings on one binary, threads with windows at once, and the pool.

. "$(dirname "$0")/lib.sh"

# Three places in each of 34 binaries
hundred_bindings()
{
	local i n=0 start path=$T/many line

	for ((i = 0; i < 34; i++)); do
		cp "$SEC" "$path.$i"
		for start in "$START" "$START2" "$START3"; do
			line="p:b$n $path.$i:$start $STOP,$STOP2,$STOP3 threshold=$((1000000 + n))"
			bind "$line"
			n=$((n + 1))
		done
	done
	eq "bindings" "$(grep -c '' "$CTL/bindings")" 102
	"$path.7" start stop start2 sleep:3000 stop > /dev/null
	"$path.33" start3 stop3 > /dev/null
	stats_are b21 started=1 stopped=1 violations=0
	stats_are b22 started=1 stopped=1 violations=1
	stats_are b101 started=1 stopped=1 violations=0
	eq "windows of all others" "$(awk '!/binding=(b21|b22|b101|removed|dev|kernel) / {
		for (i = 2; i <= NF; i++)
			if ($i ~ /^(started|stopped|missed_pool)=/) {
				split($i, v, "=")
				n += v[2]
			}
		} END { print n + 0 }' "$CTL/stats")" 0
	check_reports 1
	D=$(events detail_env_tlob)
	eq "binding" "$(fld "$D" binding)" b22
	eq "threshold_ns" "$(fld "$D" threshold_ns)" 1000022
}

# Starts at a hundred instructions of one function
many_on_one_binary()
{
	local i base off
	local -A OFF

	offsets_of "$BIN/nops"
	base=${OFF[nops_run]}
	for ((i = 1; i <= 100; i++)); do
		printf -v off '0x%x' $((base + i))
		bind "p:n$i $BIN/nops:$off ${OFF[nops_end]} threshold=$((4 * i * SLOW))ms"
	done
	"$BIN/nops" 3 $((201000 * SLOW))
	# Those of half the longest budget and less are over, those above are not.
	eq "bindings and their windows" "$(awk '/^binding=n[0-9]/ {
		split("", v)
		for (i = 1; i <= NF; i++) {
			split($i, kv, "=")
			v[kv[1]] = kv[2]
		}
		over = substr(v["binding"], 2) + 0 <= 50 ? 3 : 0
		if (v["started"] == 3 && v["stopped"] == 3 && v["violations"] == over)
			n++
	} END { print n + 0 }' "$CTL/stats")" 100
	check_reports 150
	eq "done_tlob events" "$(nr_events done_tlob)" 150
}

thousand_threads()
{
	local states

	bind "p:w $P1 threshold=3600s"
	bg threads:1000 { start hold stop } settle:1000 sleep:100000 ready wait release join
	await 120
	eq "open" "$(stat_of w open)" 1000
	cat "$CTL/inflight" > "$T/inflight"
	eq "lines of inflight" "$(grep -c 'binding=w state=sleeping' "$T/inflight")" 1000
	eq "different pids" "$(grep -o '^pid=[0-9]*' "$T/inflight" | sort -u | wc -l)" 1000
	eq "threads that exist" "$(sed 's/^pid=\([0-9]*\) .*/\1/' "$T/inflight" |
		while read -r pid; do
			[ -d "/proc/$BG/task/$pid" ] && echo yes
		done | grep -c yes)" 1000
	go
	finish
	stats_are w started=1000 stopped=1000 missed_pool=0 violations=0
	ge "sleeping_ns" "$(stat_of w sleeping_ns)" 100000000000
}

thousand_threads_over_budget()
{
	bind "p:w $P1 threshold=500ms"
	sec threads:1000 { start hold stop } settle:1000 sleep:600000 release join
	stats_are w started=1000 stopped=1000 missed_pool=0 violations=1000
	check_reports 1000
	eq "done_tlob events" "$(nr_events done_tlob)" 1000
	eq "tasks reported" "$(events detail_env_tlob | grep -o ' pid=[0-9]*' | sort -u | wc -l)" 1000
}

# 100 windows of one thread whose deadlines come at the same time
all_over_at_once()
{
	local i base off
	local -A OFF

	offsets_of "$BIN/nops"
	base=${OFF[nops_run]}
	for ((i = 1; i <= 100; i++)); do
		printf -v off '0x%x' $((base + i))
		bind "p:n$i $BIN/nops:$off ${OFF[nops_end]} threshold=20ms"
	done
	"$BIN/nops" 1 50000
	for ((i = 1; i <= 100; i++)); do
		eq "violations of n$i" "$(stat_of "n$i" violations)" 1
	done
	check_reports 100
	eq "bindings reported" "$(events detail_env_tlob | grep -o ' binding=[^ ]*' | sort -u | wc -l)" 100
	# Not all in one interrupt, and yet soon: they started within 1 ms or so.
	between "ns from the first report to the last" \
		$(($(ts "$(events detail_env_tlob | tail -n 1)") - $(ts "$(events detail_env_tlob | head -n 1)"))) \
		20000 20000000
}

pool_of_one()
{
	tlob_reload max_monitored=1
	bind "p:w $P1 threshold=1s"
	sec loop:5000 { start stop }
	stats_are w started=5000 stopped=5000 missed_pool=0
}

pool_of_one_two_threads()
{
	tlob_reload max_monitored=1
	bind "p:w $P1 threshold=1s"
	sec alternate:2000
	stats_are w started=2000 stopped=2000 missed_pool=0
}

# Threads that come and go, each with a window, some ended by their exit
pool_of_one_many_tasks()
{
	tlob_reload max_monitored=1
	bind "p:w $P1 threshold=1s"
	sec loop:200 { thread { start stop } join thread { start } join gone }
	stats_are w started=400 stopped=200 exited=200 missed_pool=0
	sec loop:50 { fork { start } reap }
	stats_are w started=450 stopped=200 exited=250 missed_pool=0
}

pool_of_one_restart()
{
	tlob_reload max_monitored=1
	bind "p:w $P1 threshold=1s"
	sec loop:500 { start } stop
	stats_are w started=500 restarted=499 stopped=1 missed_pool=0
}

# Two bindings of one task want two windows.
pool_of_two()
{
	tlob_reload max_monitored=2
	bind "p:one $P1 threshold=1s"
	bind "p:two $P2 threshold=1s"
	bind "p:three $P3 threshold=1s"
	sec start start2 start3 stop3 stop2 start3 stop3 stop
	stats_are one started=1 stopped=1 missed_pool=0
	stats_are two started=1 stopped=1 missed_pool=0
	stats_are three started=1 stopped=1 missed_pool=1 unmatched_stops=1
}

pool_exhausted()
{
	tlob_reload max_monitored=4
	bind "p:w $P1 threshold=20ms"
	bg threads:10 { start hold stop } settle:10 sleep:50000 ready wait release join \
		ready wait threads:4 { start stop } join
	await
	stats_are w started=4 open=4 missed_pool=6 violations=4
	eq "lines of inflight" "$(grep -c . "$CTL/inflight")" 4
	go
	await
	stats_are w started=4 stopped=4 missed_pool=6 unmatched_stops=6 open=0
	go
	finish
	stats_are w started=8 stopped=8 missed_pool=6 violations=4
	check_reports 4
}

tcase hundred_bindings "a hundred bindings on many binaries"
tcase many_on_one_binary "a hundred bindings in one function"
tcase all_over_at_once "100 windows of a thread over budget at once"
tcase thousand_threads "1,000 threads with windows at once"
tcase thousand_threads_over_budget "1,000 threads over budget at once"
tcase pool_of_one "a pool of 1: one thread back to back"
tcase pool_of_one_two_threads "a pool of 1: two threads in turn"
tcase pool_of_one_many_tasks "a pool of 1: tasks that come and go"
tcase pool_of_one_restart "a pool of 1: restarts"
tcase pool_of_two "a pool of 2 and three windows on one task"
tcase pool_exhausted "pool exhausted: counted, and nothing breaks"
run_cases
