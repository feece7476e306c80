#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# mode: up
# timeout: 300
#
# What `monitor` takes, and how it lists it.

. "$(dirname "$0")/lib.sh"

S=$SEC:$START

# lists LINE AS: LINE is taken, and listed so
lists()
{
	bind "$1"
	eq "listing of '$1'" "$(<"$CTL/monitor")" "$2"
	eq "bindings after '$1'" "$(<"$CTL/bindings")" "$2"
	bind "-*"
}

forms()
{
	local d_start=$((START)) d_stop=$((STOP)) N=threshold=1000000

	lists "p:w $S $STOP threshold=1000000" "p:w $S $STOP $N"
	lists "p $S $STOP threshold=1ms" "p $S $STOP $N"
	lists "p:w $SEC:$d_start $d_stop threshold=1ms" "p:w $S $STOP $N"
	lists "p:w $SEC:0X${START#0x} ${STOP^^} threshold=1ms" "p:w $S $STOP $N"
	lists "p:w $S $STOP,$STOP2,$STOP3 threshold=1ms" "p:w $S $STOP,$STOP2,$STOP3 $N"
	lists "p:w $SEC:$CALL $CALL%return threshold=1ms" "p:w $SEC:$CALL $CALL%return $N"
	lists "p:w $SEC:$CALL $STOP,$CALL%return threshold=1ms" "p:w $SEC:$CALL $STOP,$CALL%return $N"
	lists "  p:w   $S  $STOP   threshold=1ms  " "p:w $S $STOP $N"
	lists "$(printf '\tp:w\t%s\t%s\tthreshold=1ms' "$S" "$STOP")" "p:w $S $STOP $N"
	lists "p:w $S $STOP comm=foo threshold=1ms pid=$$" "p:w $S $STOP $N pid=$$ comm=foo"
	lists "p:w $S $STOP threshold=1ms pid=1" "p:w $S $STOP $N pid=1"
	lists "p:w $S $STOP threshold=1ms comm=0123456789abcde" "p:w $S $STOP $N comm=0123456789abcde"
	# The listing of a stale binding ends in a comment, and can be written back.
	lists "p:w $S $STOP threshold=1ms # stale" "p:w $S $STOP $N"
}

budgets()
{
	local t

	for t in 1000:1000 1000ns:1000 1us:1000 1ms:1000000 1s:1000000000 0x3e8:1000 \
		1500:1500 3600000000000:3600000000000 3600s:3600000000000 \
		3600000ms:3600000000000 3600000000us:3600000000000; do
		lists "p:w $S $STOP threshold=${t%:*}" "p:w $S $STOP threshold=${t#*:}"
	done
}

default_budget()
{
	local t

	defer "echo 0 > $PARAMS/threshold_ns"
	echo 7000000 > "$PARAMS/threshold_ns"
	bind "p:a $P1"
	bind "p:b $P2 threshold=1ms"
	# The default counts as it is when binding.
	echo 9000000 > "$PARAMS/threshold_ns"
	bind "p:c $P3"
	eq "listing" "$(<"$CTL/bindings")" "p:a $P1 threshold=7000000
p:b $P2 threshold=1000000
p:c $P3 threshold=9000000"
	sec fifo:10 start start3 sleep:8000 stop stop3
	stats_are a violations=1
	stats_are c violations=0
	bind "-*"
	for t in 999 1 3600000000001 18446744073709551615 -1 x ""; do
		echo "$t" 2> /dev/null > "$PARAMS/threshold_ns" &&
			fail "threshold_ns takes '$t'"
		eq "threshold_ns" "$(<"$PARAMS/threshold_ns")" 9000000
	done
	for t in 1000 3600000000000 0; do
		echo "$t" > "$PARAMS/threshold_ns" || fail "threshold_ns does not take '$t'"
		eq "threshold_ns" "$(<"$PARAMS/threshold_ns")" "$t"
	done
	expect_errno EINVAL "p:a $P1"
}

names()
{
	local n

	for n in a A0_.- "$(printf 'n%.0s' {1..31})" -x .x devs kernel2 remove DEV; do
		lists "p:$n $S $STOP threshold=1ms" "p:$n $S $STOP threshold=1000000"
	done
	# A name is free again when its binding is gone.
	bind "p:w $P1 threshold=1ms"
	bind "-:w"
	bind "p:w $P2 threshold=1ms"
}

unnamed()
{
	bind "p $P1 threshold=5ms"
	bind "p $P2 threshold=5ms"
	sec start sleep:10000 stop start2 stop2
	stats_are "$S" started=1 stopped=1 violations=1
	stats_are "$SEC:$START2" started=1 stopped=1 violations=0
	eq "binding" "$(fld "$(events detail_env_tlob)" binding)" "$S"
}

removal()
{
	local before

	bind "p:a $P1 threshold=1ms"
	bind "p $P2 threshold=1ms"
	bind "p:c $P3 threshold=1ms"
	bind "-$SEC:$START2"
	eq "after -PATH:OFFSET" "$(sed 's/ .*//' "$CTL/bindings" | tr '\n' ' ')" "p:a p:c "
	bind "-:a"
	eq "after -:NAME" "$(sed 's/ .*//' "$CTL/bindings")" p:c
	bind "-$SEC:$((START3))"
	eq "after -PATH:DECIMAL of a named one" "$(<"$CTL/bindings")" ""
	bind "p:a $P1 threshold=1ms"
	bind "p:b $P2 threshold=1ms"
	before=$(stat_of removed started)
	sec start stop start2 stop2
	bind "-*"
	eq "after -*" "$(<"$CTL/bindings")" ""
	eq "started of removed" $(($(stat_of removed started) - before)) 2
	eq "stats lines" "$(sed 's/ .*//' "$CTL/stats" | sort | tr '\n' ' ')" \
		"binding=dev binding=kernel binding=removed "
	# Of a removed binding nothing counts any more.
	sec start stop start2 stop2
	eq "started of removed" $(($(stat_of removed started) - before)) 2
}

blank_and_comments()
{
	bind ""
	bind "   "
	bind "# p:w $P1 threshold=1ms"
	bind "  # indented"
	bind "#"
	eq "bindings" "$(<"$CTL/bindings")" ""
	eq "write without a newline" "$(printf 'p:w %s threshold=1ms' "$P1" | "$BIN/wr" "$CTL/monitor")" \
		$((${#P1} + 4 + 14))
	eq "bindings" "$(grep -c . "$CTL/bindings")" 1
}

several_lines()
{
	local got

	got=$(printf 'p:a %s threshold=1ms\n\n# x\np:b %s threshold=2ms\n-:a\np:c %s threshold=3ms' \
		"$P1" "$P2" "$P3" | tee "$T/lines" | "$BIN/wr" "$CTL/monitor")
	eq "write" "$got" "$(wc -c < "$T/lines")"
	eq "bindings" "$(sed 's/ .*//' "$CTL/bindings" | tr '\n' ' ')" "p:b p:c "
}

truncation_clears_nothing()
{
	echo "p:a $P1 threshold=1ms" > "$CTL/monitor"
	echo "p:b $P2 threshold=1ms" > "$CTL/monitor"
	echo "p:c $P3 threshold=1ms" >> "$CTL/monitor"
	eq "bindings" "$(sed 's/ .*//' "$CTL/bindings" | tr '\n' ' ')" "p:a p:b p:c "
	: > "$CTL/monitor"
	eq "bindings after truncation" "$(grep -c . "$CTL/bindings")" 3
	echo "-*" > "$CTL/monitor"
	eq "bindings" "$(<"$CTL/bindings")" ""
}

# More than a write takes: whole lines are consumed, the rest comes again.
big_writes()
{
	local i got
	local -A OFF

	offsets_of "$BIN/nops"
	for ((i = 0; i < 150; i++)); do
		echo "# $(printf 'filler %.0s' {1..40}) $i"
		printf 'p:n%d %s:0x%x %s threshold=1ms\n' "$i" "$BIN/nops" \
			$((OFF[nops_run] + i)) "${OFF[nops_end]}"
		if [ $((i % 3)) -eq 1 ]; then
			echo "-:n$i"
		fi
	done > "$T/lines"
	ge "bytes to write" "$(wc -c < "$T/lines")" 50000
	"$BIN/wr" -l "$CTL/monitor" < "$T/lines" > "$T/returns"
	eq "bytes written" "$(awk '{ n += $1 } END { print n }' "$T/returns")" \
		"$(wc -c < "$T/lines")"
	eq "bindings" "$(grep -c . "$CTL/bindings")" 100
	# What a short write took ends at the end of a line.
	got=$(head -n 1 "$T/returns")
	eq "last byte taken" \
		"$(head -c "$got" "$T/lines" | tail -c 1 | od -An -c | tr -d ' ')" '\n'
}

# Names that need escapes, and one with colons: bound, caught, listed, removed.
escapes()
{
	local name esc path

	while IFS='|' read -r name esc; do
		printf -v name '%b' "$name"
		path=$T/$name
		cp "$SEC" "$path" || die "cp"
		lists "p:w $T/$esc:$START $STOP threshold=5ms" \
			"p:w $T/$esc:$START $STOP threshold=5000000"
		bind "p $T/$esc:$START $STOP threshold=5ms"
		"$path" start sleep:10000 stop > /dev/null
		stats_are "$T/$esc:$START" started=1 stopped=1 violations=1
		eq "binding" "$(fld "$(events detail_env_tlob | tail -n 1)" binding)" "$T/$esc:$START"
		bind "-$T/$esc:$START"
		eq "bindings" "$(<"$CTL/bindings")" ""
		rm "$path"
	done <<- 'END'
	with space|with\040space
	with\ttab|with\011tab
	with\nnewline|with\012newline
	back\\slash|back\134slash
	co:lon:s|co:lon:s
	end:|end:
	\0303\0244|ä
	#hash|#hash
	100%return|100%return
	END
	# An escape of what needs none is unescaped, and listed plain.
	cp "$SEC" "$T/plain"
	lists "p:w $T/\\160l\\141in:$START $STOP threshold=1ms" \
		"p:w $T/plain:$START $STOP threshold=1000000"
}

longest_path()
{
	local dir=$T esc=$T part escpart i

	part=$(printf ' %.0s' {1..250})
	escpart=$(printf '\\040%.0s' {1..250})
	for ((i = 0; i < 15; i++)); do
		dir+=/$part
		esc+=/$escpart
	done
	mkdir -p "$dir"
	cp "$SEC" "$dir/x" || die "cp"
	lists "p:w $esc/x:$START $STOP threshold=1ms" "p:w $esc/x:$START $STOP threshold=1000000"
	bind "p:w $esc/x:$START $STOP threshold=1ms"
	"$dir/x" start stop > /dev/null
	stats_are w started=1 stopped=1
	bind "-$esc/x:$START"
	eq "bindings" "$(<"$CTL/bindings")" ""
}

# What is listed can be written back, and lists the same.
round_trip()
{
	cp "$SEC" "$T/a b"
	bind "p:w $P1 threshold=1ms pid=$$ comm=foo"
	bind "p $SEC:$CALL $CALL%return,$STOP2 threshold=3600s"
	bind "p:x.y $T/a\\040b:$START2 $STOP,$STOP2 threshold=1us comm=section"
	cat "$CTL/monitor" > "$T/listing"
	eq "lines" "$(grep -c . "$T/listing")" 3
	bind "-*"
	eq "write back" "$("$BIN/wr" "$CTL/monitor" < "$T/listing")" "$(wc -c < "$T/listing")"
	eq "listing" "$(<"$CTL/monitor")" "$(<"$T/listing")"
	bind "-*"
	cat "$T/listing" > "$CTL/monitor"
	eq "listing after cat" "$(<"$CTL/monitor")" "$(<"$T/listing")"
}

filter_pid()
{
	local first

	bg loop:3 { ready wait start stop } thread { start stop } join fork { start stop } reap
	first=$BG
	await
	bind "p:w $P1 threshold=1s pid=$first"
	sec start stop stop
	stats_are w started=0 stopped=0 unmatched_stops=0 missed_pool=0
	go
	await
	go
	await
	go
	finish
	# Its own three and its thread's, not its child's
	stats_are w started=4 stopped=4 unmatched_stops=0
	eq "listing" "$(<"$CTL/bindings")" "p:w $P1 threshold=1000000000 pid=$first"
}

filter_comm()
{
	bind "p:w $P1 threshold=1s comm=worker"
	sec start stop name:worker start stop name:worker2 start stop stop \
		thread { name:worker start stop } join
	stats_are w started=2 stopped=2 unmatched_stops=0
	bind "p:v $P2 threshold=1s comm=worker pid=$$"
	sec name:worker start2 stop2
	stats_are v started=0
}

# The thread is renamed in its window: the start counts, the window has its stop.
renamed_in_window()
{
	bind "p:w $P1 threshold=1s comm=worker"
	sec name:worker start name:other stop
	eq "windows that never ended" "$(stat_of w open)" 0
	eq "started" "$(stat_of w started)" 1
}

# number N: as decimal or hex, by chance, in $NUMBER
number()
{
	case $((RANDOM % 3)) in
	0) NUMBER=$1 ;;
	1) printf -v NUMBER '0x%x' "$1" ;;
	2) printf -v NUMBER '0X%X' "$1" ;;
	esac
}

# A line of the grammar as LINE, and how it is to be listed, as LISTED; I makes its
# start its own.
line_by_chance()
{
	local paths=("$BIN/nops" "$T/a\\040b\\134c") path stops="" listed="" i n max keys=()
	local units=(1: 1:ns 1000:us 1000000:ms 1000000000:s) unit ns chars=(a Z 9 _ . % = : '#' '\040' '\011' '\134')

	path=${paths[RANDOM % 2]}
	NAME=
	[ $((RANDOM % 4)) = 0 ] || NAME=:$I.$((RANDOM % 10))_-x
	number $((OFF[nops_run] + I))
	LINE="p$NAME $path:$NUMBER"
	printf -v LISTED 'p%s %s:0x%x ' "$NAME" "$path" $((OFF[nops_run] + I))
	if [ $((RANDOM % 3)) = 0 ]; then
		number $((OFF[nops_run] + I))
		stops=,$NUMBER%return
		printf -v listed ',0x%x%%return' $((OFF[nops_run] + I))
	fi
	n=$((OFF[nops_run] + 110))
	for ((i = RANDOM % 5; i >= 0; i--)); do
		n=$((n + 1 + RANDOM % 15))
		number $n
		stops+=,$NUMBER
		printf -v listed '%s,0x%x' "$listed" $n
	done
	LINE+=" ${stops#,}"
	LISTED+=${listed#,}
	unit=${units[RANDOM % 5]}
	max=$((3600000000000 / ${unit%:*}))
	ns=$((${unit%:*} == 1 ? 1000 + RANDOM : 1 + RANDOM % (max < 20000 ? max : 20000)))
	if [ $((RANDOM % 4)) = 0 ]; then
		LISTED+=" threshold=$(<"$PARAMS/threshold_ns")"
	else
		number $ns
		keys=("threshold=$NUMBER${unit#*:}")
		LISTED+=" threshold=$((ns * ${unit%:*}))"
	fi
	if [ $((RANDOM % 2)) = 0 ]; then
		keys+=("pid=$$")
		LISTED+=" pid=$$"
	fi
	if [ $((RANDOM % 2)) = 0 ]; then
		n=
		for ((i = RANDOM % 15; i >= 0; i--)); do
			n+=${chars[RANDOM % ${#chars[@]}]}
		done
		keys+=("comm=$n")
		LISTED+=" comm=$n"
	fi
	n=$((RANDOM % (${#keys[@]} + 1)))
	for ((i = 0; i < ${#keys[@]}; i++)); do
		LINE+=" ${keys[(i + n) % ${#keys[@]}]}"
	done
}

by_chance()
{
	local I wanted="" batch="" LINE LISTED NAME NUMBER
	local -A OFF

	offsets_of "$BIN/nops"
	cp "$BIN/nops" "$T/a b\\c"
	echo 0 > "$CTL/enable"
	defer "echo $(<"$PARAMS/threshold_ns") > $PARAMS/threshold_ns"
	echo 7654321 > "$PARAMS/threshold_ns"
	SEED=${SEED:-$((RANDOM << 15 | RANDOM))}
	diag "SEED=$SEED"
	RANDOM=$((SEED % 32768))
	for ((I = 1; I <= 100; I++)); do
		line_by_chance
		batch+=$LINE$'\n'
		wanted+=$LISTED$'\n'
		if [ $((RANDOM % 3)) = 0 ] || [ $I = 100 ]; then
			bind "${batch%$'\n'}"
			batch=
		fi
	done
	eq "the listing" "$(<"$CTL/monitor")" "${wanted%$'\n'}"
	cp "$CTL/monitor" "$T/listed"
	bind "-*"
	cat "$T/listed" > "$CTL/monitor" || fail "it cannot be written back"
	eq "the listing of what was listed" "$(<"$CTL/monitor")" "${wanted%$'\n'}"
	bind "-*"
	echo 1 > "$CTL/enable"
}

tcase forms "forms of a line and their listing"
tcase budgets "budgets with their suffixes, the smallest and the largest"
tcase default_budget "threshold_ns is the default, as it is when binding"
tcase names "names"
tcase unnamed "unnamed bindings"
tcase removal "removal by place, by name, of all"
tcase blank_and_comments "blank lines, comments, no newline"
tcase several_lines "several commands a write"
tcase truncation_clears_nothing "> and >> add"
tcase big_writes "writes of tens of kilobytes"
tcase escapes "octal escapes in paths"
tcase longest_path "a path of 3,750 blanks"
tcase round_trip "the listing can be written back"
tcase by_chance "a hundred lines by chance, and back"
tcase filter_pid "pid="
tcase filter_comm "comm="
tcase renamed_in_window "comm= and a thread that is renamed in its window"
run_cases
