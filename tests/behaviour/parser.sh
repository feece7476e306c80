#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# mode: up
# timeout: 300
#
# Every error of `monitor`: the errno, the entry in error_log, where its caret
# points, and that nothing half-made is left.

. "$(dirname "$0")/lib.sh"

# refused ERRNO LINE: in LINE, ^ stands before the place where the caret must
# be; a second ^ ends a range of places that are all right.
refused()
{
	local errno=$1 line=${2//^/} before=${2%%^*} rest low high log caret
	local n_before n_after text skipped

	rest=${2#*^}
	low=${#before}
	high=$low
	[[ $rest != *^* ]] || { rest=${rest%%^*}; high=$((low + ${#rest})); }

	n_before=$(<"$CTL/bindings")
	put "$line"
	eq "errno of '$line'" "$GOT" "-$errno"
	n_after=$(<"$CTL/bindings")
	eq "bindings after '$line'" "$n_after" "$n_before"

	mapfile -t log < "$CTL/error_log"
	[ ${#log[@]} -ge 3 ] || die "no entry of '$line' in error_log"
	matches "reason for '$line'" "${log[-3]}" \
		'^\[ *[0-9]+\.[0-9]+\] tlob: error: [^ ].{3,}'
	text=${log[-2]}
	matches "command of '$line'" "$text" '^  Command: '
	text=${text#  Command: }
	# Of a long one, a part will do.
	skipped=${line%%"$text"*}
	if [ "$skipped" = "$line" ] || { [ "$text" != "$line" ] && [ ${#text} -lt 200 ]; }; then
		fail "command of '$line': '$text'"
	fi
	caret=${log[-1]}
	[[ $caret != *$'\t'* ]] || caret=$(expand <<< "$caret")
	matches "caret line of '$line'" "$caret" '^ *\^ *$'
	caret=${caret%%^*}
	between "caret of '$line'" $((${#caret} - 11 + ${#skipped})) "$low" "$high"
}

S=$SEC:$START

syntax()
{
	refused EINVAL "^q $S $STOP"
	refused EINVAL "^px $S $STOP^"
	refused EINVAL "p^"
	refused EINVAL "p $S^"
	refused EINVAL "p:^ $S $STOP"
	refused EINVAL "p:w^"
	refused EINVAL "p:^a/b^ $S $STOP"
	refused EINVAL "p:^a:b^ $S $STOP"
	refused EINVAL "p:^é^ $S $STOP"
	refused EINVAL "^-^"
	refused EINVAL "-:^"
	refused EINVAL "-^*x^"
	refused EINVAL "-* ^x^"
	refused EINVAL "-:w ^x^"
	refused EINVAL "-$S ^x^"
	refused EINVAL "-^$SEC^"
	refused EINVAL "^hello^"
}

paths()
{
	mkfifo "$T/fifo"
	refused EINVAL "p ^bin/section:$START $STOP threshold=1ms"
	refused EINVAL "p ^section:$START $STOP threshold=1ms"
	refused EINVAL "p ^:$START^ $STOP threshold=1ms"
	refused EINVAL "p ^$SEC^ $STOP threshold=1ms"
	refused EINVAL "p ^/tmp:$START $STOP threshold=1ms"
	refused EINVAL "p ^/dev/null:$START $STOP threshold=1ms"
	refused EINVAL "p ^$T/fifo:$START $STOP threshold=1ms"
	refused ENOENT "p ^/no/such/file:$START $STOP threshold=1ms"
	refused ENOENT "p ^$SEC.no:$START $STOP threshold=1ms"
	refused EINVAL "p ^/tmp/\\04^:$START $STOP threshold=1ms"
	refused EINVAL "p ^/tmp/\\089^:$START $STOP threshold=1ms"
	refused EINVAL "p ^/tmp/\\x41^:$START $STOP threshold=1ms"
	refused EINVAL "p ^/tmp/\\400^:$START $STOP threshold=1ms"
	refused EINVAL "p ^/tmp/\\000^:$START $STOP threshold=1ms"
	refused EINVAL "p ^/tmp/a\\^:$START $STOP threshold=1ms"
	refused ENAMETOOLONG "p ^/$(printf 'x%.0s' {1..4200}):$START $STOP threshold=1ms"
	refused ENAMETOOLONG "p ^/$(printf 'x%.0s' {1..300}):$START $STOP threshold=1ms"
	# A symbolic link that leads nowhere, and one that leads to itself
	ln -s "$T/nothing" "$T/dangling"
	ln -s loop "$T/loop"
	refused ENOENT "p ^$T/dangling:$START $STOP threshold=1ms"
	refused ELOOP "p ^$T/loop:$START $STOP threshold=1ms"
	refused ENOTDIR "p ^$SEC/x:$START $STOP threshold=1ms"
}

offsets()
{
	refused EINVAL "p $SEC:^ $STOP threshold=1ms"
	refused EINVAL "p $SEC:^x^ $STOP threshold=1ms"
	refused EINVAL "p $SEC:^0x^ $STOP threshold=1ms"
	refused EINVAL "p $SEC:^0x10junk^ $STOP threshold=1ms"
	refused EINVAL "p $SEC:^10junk^ $STOP threshold=1ms"
	refused EINVAL "p $SEC:^-1^ $STOP threshold=1ms"
	refused EINVAL "p $SEC:^+1^ $STOP threshold=1ms"
	refused EINVAL "p $SEC:^0xfffffffffffffffff^ $STOP threshold=1ms"
	refused EINVAL "p $S ^stop^ threshold=1ms"
	refused EINVAL "p $S ^0x^ threshold=1ms"
	refused EINVAL "p $S ^${STOP}junk^ threshold=1ms"
	refused EINVAL "p $S $STOP,^ threshold=1ms"
	refused EINVAL "p $S ^,$STOP^ threshold=1ms"
	refused EINVAL "p $S $STOP,^,$STOP2^ threshold=1ms"
	refused EINVAL "p $S ^$STOP%ret^ threshold=1ms"
	refused EINVAL "p $S ^$STOP%returns^ threshold=1ms"
	refused EINVAL "p $S ^$STOP%return%return^ threshold=1ms"
	refused EINVAL "p $S ^%return^ threshold=1ms"
	refused EINVAL "p $S ^$START^ threshold=1ms"
	refused EINVAL "p $S $STOP,^$START^ threshold=1ms"
	refused EINVAL "p $S ^$((START))^ threshold=1ms"
	refused EINVAL "p $S ^threshold=1ms^"
	# Behind the end of the file
	refused EINVAL "p $SEC:^0x7fffffff^ $STOP threshold=1ms"
	refused EINVAL "p $S ^0x7fffffff^ threshold=1ms"
}

keys()
{
	refused EINVAL "p $S $STOP threshold=1ms ^junk"
	refused EINVAL "p $S $STOP ^budget=1ms"
	refused EINVAL "p $S $STOP ^threshold^"
	refused EINVAL "p $S $STOP threshold=^"
	refused EINVAL "p $S $STOP ^threshold=x^"
	refused EINVAL "p $S $STOP ^threshold=-1^"
	refused EINVAL "p $S $STOP ^threshold=1h^"
	refused EINVAL "p $S $STOP ^threshold=1msx^"
	refused EINVAL "p $S $STOP ^threshold=ms^"
	refused EINVAL "p $S $STOP ^threshold=1.5ms^"
	refused EINVAL "p $S $STOP ^threshold=0x^"
	refused EINVAL "p $S $STOP threshold=1ms ^threshold=2ms^"
	refused EINVAL "p $S $STOP threshold=1ms pid=$$ ^pid=$$^"
	refused EINVAL "p $S $STOP threshold=1ms comm=a ^comm=a^"
	refused EINVAL "p $S $STOP threshold=1ms ^pid=^"
	refused EINVAL "p $S $STOP threshold=1ms ^pid=x^"
	refused EINVAL "p $S $STOP threshold=1ms ^pid=1x^"
	refused EINVAL "p $S $STOP threshold=1ms ^pid=-1^"
	refused EINVAL "p $S $STOP threshold=1ms ^comm=^"
	refused ENAMETOOLONG "p $S $STOP threshold=1ms ^comm=0123456789abcdef^"
}

budgets()
{
	local t

	for t in 0 1 999 999ns 0us 0s 3600000000001 3601s 3600001ms 3600000001us \
		18446744073709551615 18446744073709552s 18446744073709551616 \
		99999999999999999999999999s; do
		refused ERANGE "p $S $STOP ^threshold=$t^"
	done
	# None given, and no default
	eq "threshold_ns" "$(<"$PARAMS/threshold_ns")" 0
	refused EINVAL "^p $S $STOP^"
}

processes()
{
	refused ESRCH "p $S $STOP threshold=1ms ^pid=0^"
	refused ESRCH "p $S $STOP threshold=1ms ^pid=4194303^"
	refused ESRCH "p $S $STOP threshold=1ms ^pid=2147483647^"
	refused ESRCH "p $S $STOP threshold=1ms ^pid=99999999999999^"
	# A thread that is no leader, and a process that is gone
	bg threads:1 { hold } settle:1 ready wait release join
	await
	refused ESRCH "p $S $STOP threshold=1ms ^pid=$(find "/proc/$BG/task" -mindepth 1 -maxdepth 1 -printf '%f\n' |
		grep -vx "$BG")^"
	go
	finish
	refused ESRCH "p $S $STOP threshold=1ms ^pid=$BG^"
}

names()
{
	refused ENAMETOOLONG "p:^$(printf 'n%.0s' {1..32})^ $S $STOP threshold=1ms"
	refused EINVAL "p:^dev $S $STOP threshold=1ms"
	refused EINVAL "p:^kernel $S $STOP threshold=1ms"
	refused EINVAL "p:^removed $S $STOP threshold=1ms"
	bind "p:taken $P1 threshold=1ms"
	refused EEXIST "p:^taken $P2 threshold=1ms"
	refused EEXIST "p ^$P1^ threshold=1ms"
	refused EEXIST "p:other ^$P1^ threshold=2ms"
	refused EEXIST "p:other ^$SEC:$START^ $STOP2 threshold=2ms"
	refused ENOENT "-:^nobody"
	refused ENOENT "-^$SEC:$START2^"
	refused ENOENT "-^/no/such/file:$START^"
}

many_stops()
{
	# What is too much is refused as a whole, whatever the limit is.
	local stops i

	for ((i = 1; i <= 2000; i++)); do
		printf -v stops '%s,0x%x' "${stops:-$STOP}" $((STOP + i))
	done
	refused E2BIG "p $S $STOP^,${stops#*,} threshold=1ms^"
}

long_lines()
{
	local x

	x=$(printf 'x%.0s' {1..17350})
	put "#$x"
	eq "a comment of just under 17 KiB" "$GOT" 17352
	x+=$(printf 'x%.0s' {1..100})
	put "#$x"
	eq "a comment of over 17 KiB" "$GOT" -E2BIG
	put "p:$x $S $STOP threshold=1ms"
	eq "a line of over 17 KiB" "$GOT" -E2BIG
	eq "a longer one than any buffer" "$(for _ in {1..20}; do printf '%s' "$x"; done |
		"$BIN/wr" "$CTL/monitor")" -E2BIG
	eq "bindings" "$(<"$CTL/bindings")" ""
	# The next write is a new line.
	bind "p:w $P1 threshold=1ms"
}

unprobeable()
{
	local -A OFF
	local sym

	offsets_of "$BIN/odd"
	bg_exec "$BIN/odd"
	await
	for sym in odd_lock odd_int3 odd_in odd_long; do
		refused EOPNOTSUPP "p $BIN/odd:^${OFF[$sym]} ${OFF[odd_plain]}^ threshold=1ms"
		refused EOPNOTSUPP "p $BIN/odd:^${OFF[odd_plain]} ${OFF[$sym]}^ threshold=1ms"
		refused EOPNOTSUPP "p $BIN/odd:^${OFF[odd_plain]} ${OFF[odd_plain]}%return,${OFF[$sym]}^ threshold=1ms"
	done
	# None of the good halves stayed behind: the place is free.
	bind "p:w $BIN/odd:${OFF[odd_plain]} $((OFF[odd_plain] + 1)) threshold=1ms"
	go
	finish
	stats_are w started=0
}

# Lines before the bad one stand, those after it are not read.
lines_before_the_bad_one()
{
	local got

	got=$(printf 'p:a %s threshold=1ms\n# x\n\np:b %s threshold=0\np:c %s threshold=1ms\n' \
		"$P1" "$P2" "$P3" | "$BIN/wr" -l "$CTL/monitor" | tail -n 1)
	eq "write" "$got" -ERANGE
	eq "bindings" "$(sed 's/ .*//' "$CTL/bindings")" p:a
	eq "command in error_log" "$(tail -n 2 "$CTL/error_log" | head -n 1)" \
		"  Command: p:b $P2 threshold=0"
}

# Accepted lines leave no entry, and old entries go first.
log_keeps_the_last()
{
	local i n

	n=$(grep -c Command: "$CTL/error_log")
	bind "p:w $P1 threshold=1ms"
	put "# comment"
	eq "entries after good lines" "$(grep -c Command: "$CTL/error_log")" "$n"
	for ((i = 0; i < 30; i++)); do
		put "bad $i"
	done
	ge "entries" "$(grep -c Command: "$CTL/error_log")" 4
	between "entries" "$(grep -c Command: "$CTL/error_log")" 1 30
	eq "last" "$(grep Command: "$CTL/error_log" | tail -n 1)" "  Command: bad 29"
	eq "in their order" "$(sed -n 's/  Command: bad //p' "$CTL/error_log")" \
		"$(sed -n 's/  Command: bad //p' "$CTL/error_log" | sort -n)"
}

tcase syntax "verbs, names, removals"
tcase paths "paths"
tcase offsets "offsets and stops"
tcase keys "keys"
tcase budgets "budgets out of range"
tcase processes "pid= of what does not exist"
tcase names "names and places that are taken or unknown"
tcase many_stops "too many stops"
tcase long_lines "lines over 17 KiB"
tcase unprobeable "instructions that can't be probed"
tcase lines_before_the_bad_one "lines before the bad one stand"
tcase log_keeps_the_last "error_log keeps the last ones"
run_cases
