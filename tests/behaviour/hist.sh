#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# mode: up smp
# timeout: 240
#
# hist: the lengths of all windows that reached their stop, and of no other, in
# buckets at most 1/16 wide; percentiles of it against those of the raw lengths.

. "$(dirname "$0")/lib.sh"

# hist_of NAME: its lines, without the name
hist_of()
{
	awk -v b="$1" '$1 == b { $1 = ""; print substr($0, 2) }' "$CTL/hist"
}

# What is wrong with the buckets themselves, in any file
shape()
{
	awk '
	NF != 4 || $2 !~ /^[0-9]+$/ || $3 !~ /^[0-9]+$/ || $4 !~ /^[0-9]+$/ { print "format: " $0; next }
	$4 < 1			{ print "empty: " $0 }
	$3 < $2			{ print "backwards: " $0 }
	{
		width = $3 - $2 + 1
		# Exact, or at most 1/16 of the shortest length in it
		if (width > 1 && width * 16 > $2)
			print "too wide: " $0
		# So that no two can overlap: aligned, and of a power of two
		if ($2 % width)
			print "not aligned: " $0
		for (p = 1; p < width; p *= 2)
			;
		if (p != width)
			print "width: " $0
		if ($1 == name && $2 <= high)
			print "order: " $0
		name = $1
		high = $3
	}' "$CTL/hist"
}

# agrees NAME FILE: the histogram is that of the lengths in FILE, one a line:
# every bucket has as many as FILE has in it. And so the percentiles.
agrees()
{
	local bad

	eq "windows in the histogram" "$(hist_of "$1" | awk '{ n += $3 } END { print n + 0 }')" \
		"$(grep -c . "$2")"
	bad=$(sort -n "$2" | awk -v name="$1" -v hist="$CTL/hist" '
	BEGIN {
		while ((getline line < hist) > 0) {
			split(line, f, " ")
			if (f[1] == name) {
				n++
				low[n] = f[2]; high[n] = f[3]; count[n] = f[4]
			}
		}
		b = 1
	}
	{
		raw[NR] = $1
		while (b <= n && $1 > high[b])
			b++
		if (b > n || $1 < low[b])
			print "no bucket for " $1
		else
			seen[b]++
	}
	function rank(p, r) {
		r = int(NR * p)
		return r < NR * p ? r + 1 : r
	}
	function compare(p, sum, i, ref) {
		ref = raw[rank(p)]
		for (i = 1; i <= n && (sum += count[i]) < rank(p); i++)
			;
		if (i > n || high[i] < ref || high[i] > ref * (1 + 1 / 16))
			print "p" p * 100 ": " high[i] " against " ref
	}
	END {
		for (i = 1; i <= n; i++)
			if (seen[i] != count[i])
				print "bucket " low[i] " " high[i] ": " count[i] " against " seen[i] + 0
		compare(0.5); compare(0.9); compare(0.99); compare(0.999); compare(1)
	}')
	[ -z "$bad" ] || fail "$bad"
	eq "shape of hist" "$(shape)" ""
}

# The lengths that the program was told by STOP_INFO
lengths()
{
	sed -n 's/^info=.* elapsed_ns=\([0-9]*\) .*/\1/p' <<< "$OUT"
}

empty()
{
	tlob_reload
	bind "p:w $P1 threshold=1s"
	eq "hist" "$(<"$CTL/hist")" ""
	eq "mode" "$(stat -c %a "$CTL/hist")" 400
}

# Over and under the budget alike, from microseconds to milliseconds
percentiles()
{
	tlob_reload
	OUT=$("$BIN/dev" open:a loop:1500 { start:a:300000 rnd:3000 info:a })
	eq "windows" "$(lengths | grep -c .)" 1500
	lengths > "$T/lengths"
	agrees dev "$T/lengths"
	stats_are dev stopped=1500
	between "violations" "$(stat_of dev violations)" 100 1400
	ge "buckets" "$(hist_of dev | grep -c .)" 50
}

# A long tail: 2 of 1500 windows are a thousand times as long.
tail_counts()
{
	tlob_reload
	OUT=$("$BIN/dev" open:a loop:2 { loop:749 { start:a:1000000000 busy:30 info:a } \
		start:a:1000000000 sleep:60000 info:a })
	lengths > "$T/lengths"
	agrees dev "$T/lengths"
	ge "the longest" "$(hist_of dev | tail -n 1 | cut -d ' ' -f 1)" 56000000
}

# What did not reach its stop is not in it.
stopped_only()
{
	bind "p:w $P1 threshold=200ms"
	sec start sleep:1000 start sleep:2000 stop fork { start exit:0 } fork { start exec:/bin/true } \
		reap start sleep:300000 stop stop
	stats_are w started=5 stopped=2 restarted=1 exited=1 execed=1
	[ "${MODE:-up}" = smp ] || stats_are w violations=1
	eq "windows" "$(hist_of w | awk '{ n += $3 } END { print n + 0 }')" 2
	bg start ready wait
	await
	echo 0 > "$CTL/enable"
	echo 1 > "$CTL/enable"
	go
	finish
	stats_are w cancelled=1
	eq "windows" "$(hist_of w | awk '{ n += $3 } END { print n + 0 }')" 2
	eq "the longest" "$(hist_of w | awk -v max="$(stat_of w max_ns)" '$1 <= max && max <= $2 { print "there" }')" there
	eq "shape of hist" "$(shape)" ""
}

# Each binding its own; as done_tlob says the lengths, all being over budget
bindings_apart()
{
	local name

	bind "p:one $P1 threshold=1us"
	bind "p:two $P2 threshold=1us"
	sec loop:40 { start start2 spin:20000 stop busy:200 stop2 }
	for name in one two; do
		events done_tlob | grep -F " binding=$name " | sed 's/.* elapsed_ns=\([0-9]*\) .*/\1/' > "$T/$name"
		eq "windows of $name" "$(grep -c . "$T/$name")" 40
		agrees "$name" "$T/$name"
	done
}

# Whose histogram it is when there is no name
unnamed()
{
	local path="$T/a b"

	cp "$SEC" "$path"
	bind "p ${path// /\\040}:$START $STOP threshold=1s"
	"$path" start stop > /dev/null
	matches "hist" "$(<"$CTL/hist")" "^${T//./[.]}/a\\\\040b:$START [0-9]+ [0-9]+ 1\$"
}

# Removal of a binding takes its lines away, and re-adding starts from nothing.
removed()
{
	bind "p:w $P1 threshold=1s"
	sec start stop
	eq "windows" "$(hist_of w | awk '{ n += $3 } END { print n + 0 }')" 1
	put "-:w"
	eq "hist" "$(hist_of w)" ""
	bind "p:w $P1 threshold=1s"
	eq "hist" "$(hist_of w)" ""
}

# Exact totals, whatever runs at once
concurrency()
{
	tlob_reload
	OUT=$("$BIN/dev" open:a threads:6 { loop:250 { start:a:1000000 rnd:500 info:a } } join)
	lengths > "$T/lengths"
	eq "windows" "$(grep -c . "$T/lengths")" 1500
	stats_are dev stopped=1500
	agrees dev "$T/lengths"
}

# Read while it grows: never more than there are, and rising
read_meanwhile()
{
	local n last=0 i

	tlob_reload
	bg_exec "$BIN/dev" quiet open:a threads:3 { loop:100000 { start:a:1000000 rnd:100 stop:a } } join
	reaches dev stopped 100
	for ((i = 0; i < 20; i++)); do
		n=$(hist_of dev | awk '{ n += $3 } END { print n + 0 }')
		# Each CPU may be about to count one as stopped.
		between "windows" "$n" "$last" $(($(stat_of dev stopped) + 2))
		last=$n
		sleep 0.02
	done
	ge "windows" "$last" 100
	kill -KILL "$BG"
	wait "$BG"
}

tcase empty "empty at first"
tcase percentiles "percentiles agree with those of the raw lengths"
tcase tail_counts "a long tail"
tcase stopped_only "only windows that reached their stop"
tcase bindings_apart "each binding its own"
tcase unnamed "of an unnamed binding"
tcase removed "of a binding that was removed"
tcase concurrency "exact under concurrency"
tcase read_meanwhile "read while it grows"
run_cases
