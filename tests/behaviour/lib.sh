# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the behaviour tests share. A test file sources this, defines functions,
# names them with `tcase` and ends in `run_cases`. Every case runs in a subshell
# of its own with the module loaded and enabled, no binding, and an empty
# trace; after it the sums of `stats` are checked, whatever it was about.

set -u

TLOB_DIR=${TLOB_DIR:-/tlob}
SLOW=${SLOW:-1}				# how much longer this kernel takes for what it does
TLOB_KO=$TLOB_DIR/tlob.ko
BIN=$TLOB_DIR/bin
TRACEFS=/sys/kernel/tracing
TRACE=$TRACEFS/instances/tlob_test
PARAMS=/sys/module/tlob/parameters
SEC=$BIN/section
CTL=
ROOT=$(mktemp -d /tmp/tlob.XXXXXX)	# of the file
T=$ROOT					# of the case
FAILED=0
OUT=
GOT=

EV_REPORTS=(error_tlob error_env_tlob detail_env_tlob done_tlob)

# --- results -----------------------------------------------------------------

diag()
{
	local line

	while IFS= read -r line; do
		printf '# %s\n' "$line"
	done <<< "$*"
}

# A failed check is noted and the case goes on; `die` ends it.
fail()
{
	FAILED=1
	diag "FAIL: $*"
}

die()
{
	fail "$@"
	exit 1
}

skip()
{
	echo "$*" > "$ROOT/skip"
	exit 4
}

# eq WHAT GOT WANT
eq()
{
	[ "$2" = "$3" ] || fail "$1: got '$2', want '$3'"
}

# between WHAT GOT LOW HIGH, all integers
between()
{
	if ! [[ $2 =~ ^-?[0-9]+$ ]] || (($2 < $3 || $2 > $4)); then
		fail "$1: got '$2', want $3..$4"
	fi
}

# ge WHAT GOT LOW
ge()
{
	between "$1" "$2" "$3" 9223372036854775807
}

# matches WHAT GOT REGEX
matches()
{
	[[ $2 =~ $3 ]] || fail "$1: got '$2', want /$3/"
}

# --- the module --------------------------------------------------------------

find_ctl()
{
	local dir

	CTL=
	for dir in "$TRACEFS/rv/monitors/tlob" /sys/kernel/debug/tlob; do
		[ -e "$dir/monitor" ] && CTL=$dir
	done
	[ -n "$CTL" ]
}

loaded()
{
	[ -d /sys/module/tlob ]
}

# tlob_load [PARAMETER...]: load, find the control files, record our events
tlob_load()
{
	insmod "$TLOB_KO" "$@" || return 1
	find_ctl || die "no control files"
	record "${EV_REPORTS[@]}"
}

tlob_unload()
{
	rmmod tlob
}

# Load anew with other parameters; the next case finds the usual ones again.
tlob_reload()
{
	if loaded; then
		tlob_unload || die "rmmod failed"
	fi
	touch "$ROOT/reload"
	tlob_load "$@" || die "insmod $* failed"
	echo 1 > "$CTL/enable"
}

# --- control files -----------------------------------------------------------

# put LINE: sets GOT to what write(2) of a line to `monitor` returned, a count or
# -ERRNO
put()
{
	GOT=$(exec "$BIN/wr" "$CTL/monitor" <<< "$1")
}

# bind LINE: it must be taken
bind()
{
	put "$1"
	[ "$GOT" = "$((${#1} + 1))" ] || die "write of '$1': $GOT"
}

# expect_errno ERRNO LINE
expect_errno()
{
	put "$2"
	eq "errno of '$2'" "$GOT" "-$1"
}

# stats_line NAME: its line of `stats` in $LINE, a blank before and after each field
stats_line()
{
	local line lines

	LINE=
	mapfile -t lines < "$CTL/stats"
	for line in "${lines[@]}"; do
		[[ $line != "binding=$1 "* ]] || LINE=" $line "
	done
}

# field KEY: its value in $LINE, in $FIELD
field()
{
	FIELD=
	if [[ $LINE = *" $1="* ]]; then
		FIELD=${LINE#*" $1="}
		FIELD=${FIELD%% *}
	fi
}

# stat_of NAME KEY: one number of `stats`
stat_of()
{
	stats_line "$1"
	field "$2"
	echo "$FIELD"
}

# stats_are NAME KEY=VALUE...
stats_are()
{
	local name=$1 kv

	shift
	stats_line "$name"
	for kv; do
		field "${kv%%=*}"
		eq "stats of $name: ${kv%%=*}" "$FIELD" "${kv#*=}"
	done
}

# `dev`, `kernel` and `removed` count since load. count_from NAME notes where
# they are, grown NAME KEY says by how much they grew, grew NAME KEY=VALUE...
# checks it.
declare -A COUNTED
count_from()
{
	local kv

	stats_line "$1"
	for kv in $LINE; do
		COUNTED[$1,${kv%%=*}]=${kv#*=}
	done
}

grown()
{
	echo $(($(stat_of "$1" "$2") - ${COUNTED[$1,$2]}))
}

grew()
{
	local name=$1 kv

	shift
	stats_line "$name"
	for kv; do
		field "${kv%%=*}"
		eq "stats of $name: growth of ${kv%%=*}" \
			$((FIELD - COUNTED[$name,${kv%%=*}])) "${kv#*=}"
	done
}

# reaches NAME KEY LEAST: wait until `stats` has that much, a minute at most
reaches()
{
	local tries=3000

	while stats_line "$1"; field "$2"; [ "${FIELD:-0}" -lt "$3" ]; do
		if ! ((tries-- > 0)); then
			fail "$2 of $1: still '$FIELD', want $3"
			return 1
		fi
		sleep 0.02
	done
}

# The identity that README states, for every line, and nothing left open.
check_identity()
{
	local bad

	bad=$(awk '
	{
		split("", v)
		for (i = 1; i <= NF; i++) {
			p = index($i, "=")
			v[substr($i, 1, p - 1)] = substr($i, p + 1)
		}
		seen[$1] = 1
		ends = v["stopped"] + v["restarted"] + v["exited"] + v["execed"] + v["cancelled"]
		if (v["started"] == "" || v["started"] + 0 != ends + v["open"])
			print "identity: " $0
		if (v["open"] + 0 != 0)
			print "open: " $0
		if (v["sum_ns"] + 0 != v["running_ns"] + v["waiting_ns"] + v["sleeping_ns"])
			print "sum: " $0
		if (v["stopped"] > 0 && (v["min_ns"] + 0 > v["max_ns"] + 0 ||
		    v["min_ns"] * v["stopped"] > v["sum_ns"] + 0 ||
		    v["max_ns"] * v["stopped"] < v["sum_ns"] + 0))
			print "min/max: " $0
		if (v["anomalies"] + 0 != 0)
			print "anomalies: " $0
	}
	END {
		if (!seen["binding=dev"] || !seen["binding=kernel"] || !seen["binding=removed"])
			print "lines of dev, kernel or removed are missing"
	}' "$CTL/stats")
	[ -z "$bad" ] || fail "$bad"
	eq "inflight at the end" "$(<"$CTL/inflight")" ""
}

# --- trace -------------------------------------------------------------------

# record EVENT...: from an empty buffer
record()
{
	local ev

	[ -d "$TRACE" ] || mkdir "$TRACE" || die "no trace instance"
	echo 0 > "$TRACE/events/enable"
	echo mono > "$TRACE/trace_clock"
	echo 4096 > "$TRACE/buffer_size_kb"
	for ev in "$@"; do
		echo 1 > "$TRACE/events/rv/$ev/enable" || die "no event $ev"
	done
	: > "$TRACE/trace"
	echo 1 > "$TRACE/tracing_on"
}

# events NAME: its lines
events()
{
	grep -F " $1: " "$TRACE/trace"
}

nr_events()
{
	grep -cF " $1: " "$TRACE/trace"
}

# fld LINE KEY: a field of a printed event
fld()
{
	[[ $1 =~ [\ ]$2=([^\ ]*) ]] && echo "${BASH_REMATCH[1]}"
}

# ts LINE: its timestamp in ns
ts()
{
	[[ $1 =~ \ ([0-9]+)\.([0-9]{6}):\  ]] &&
		echo $((BASH_REMATCH[1] * 1000000000 + 10#${BASH_REMATCH[2]} * 1000))
}

# sums_to_elapsed LINE: the three phases of a report sum up exactly
sums_to_elapsed()
{
	local LINE=" $1 " FIELD sum=0 key

	for key in running_ns waiting_ns sleeping_ns; do
		field $key
		sum=$((sum + FIELD))
	done
	field elapsed_ns
	eq "running + waiting + sleeping of: $1" $sum "$FIELD"
}

# All reports of the trace: sums exact, over budget, and as many of each kind.
check_reports()
{
	local want=$1 tries=50 bad

	# With two CPUs at once, one may have counted what it has yet to report.
	while [ "${MODE:-up}" = smp ] && [ "$(nr_events detail_env_tlob)" -lt "$want" ] &&
	      ((tries-- > 0)); do
		sleep 0.02
	done
	eq "error_env_tlob events" "$(nr_events error_env_tlob)" "$want"
	eq "detail_env_tlob events" "$(nr_events detail_env_tlob)" "$want"
	bad=$(awk '/ (detail_env|done)_tlob: / {
		split("", v)
		for (i = 1; i <= NF; i++) {
			p = index($i, "=")
			if (p)
				v[substr($i, 1, p - 1)] = substr($i, p + 1)
		}
		if (v["running_ns"] + v["waiting_ns"] + v["sleeping_ns"] != v["elapsed_ns"] + 0 ||
		    v["elapsed_ns"] + 0 < v["threshold_ns"] + 0 || !v["threshold_ns"])
			print
	}' "$TRACE/trace" | head -n 3)
	[ -z "$bad" ] || fail "reports that do not add up: $bad"
}

# --- programs ----------------------------------------------------------------

# offsets_of PROGRAM: sets OFF[symbol] to ELF file offsets
declare -A OFF
offsets_of()
{
	local type off vaddr size addr sym rest

	while read -r addr _ sym; do
		printf -v "OFF[$sym]" '0x%016x' "0x$addr"
	done < <(nm "$1" | grep -i ' t ')
	while read -r type off vaddr rest; do
		[ "$type" = LOAD ] || continue
		read -r _ size _ <<< "$rest"
		for sym in "${!OFF[@]}"; do
			addr=${OFF[$sym]}
			if [[ $addr == 0x0000* ]] &&
			   ((addr >= vaddr && addr < vaddr + size)); then
				printf -v "OFF[$sym]" '0x%x' $((addr - vaddr + off))
			fi
		done
	done < <(readelf -lW "$1")
}

# vaddr_to_offset FILE VADDR
vaddr_to_offset()
{
	local type off vaddr size rest

	while read -r type off vaddr rest; do
		[ "$type" = LOAD ] || continue
		read -r _ size _ <<< "$rest"
		if (($2 >= vaddr && $2 < vaddr + size)); then
			printf '0x%x\n' $(($2 - vaddr + off))
		fi
	done < <(readelf -lW "$1")
}

# sec STEP...: run the section program; its output is in $OUT
sec()
{
	OUT=$("$SEC" "$@")
}

# mark WHICH KEY [NTH]: a clock reading that the program in $OUT printed
mark()
{
	awk -v w="$1" -v k="$2=" -v n="${3:-1}" '$1 == w && ++seen == n {
		for (i = 2; i <= NF; i++)
			if (index($i, k) == 1)
				print substr($i, length(k) + 1)
	}' <<< "$OUT"
}

# A section program in the background that is talked to: `step ready` answers
# `await`, and its step `wait` goes on at `go`. Its pid is in $BG.
bg()
{
	bg_exec "$SEC" "$@"
}

bg_exec()
{
	BG_N=$((${BG_N:-0} + 1))
	BG_OUT=$T/bg.$BG_N
	mkfifo "$BG_OUT.in"
	: > "$BG_OUT"
	"$@" <> "$BG_OUT.in" >> "$BG_OUT" 2>&1 &
	BG=$!
	BG_READY=0
}

# await [SECONDS]: until it has said ready once more
await()
{
	local tries=$((${1:-20} * 50)) lines

	BG_READY=$((BG_READY + 1))
	while mapfile -t lines < <(exec grep '^ready' "$BG_OUT"); [ ${#lines[@]} -lt $BG_READY ]; do
		kill -0 "$BG" 2> /dev/null ||
			[ "$(grep -c '^ready' "$BG_OUT")" -ge "$BG_READY" ] ||
			die "the program ended: $(<"$BG_OUT")"
		((tries-- > 0)) || die "the program is not ready"
		sleep 0.02
	done
}

go()
{
	printf x > "$BG_OUT.in"
}

# finish [STATUS]: let it end; its output is in $OUT
finish()
{
	local status

	wait "$BG"
	status=$?
	OUT=$(<"$BG_OUT")
	eq "exit status of the program" "$status" "${1:-0}"
}

# race OPTIONS BUDGET_NS COUNT: run the race program; sets OUT; all counts agree
race()
{
	local options=$1 budget=$2 count=$3 least=$(($3 / 20)) violations
	local -A OFF

	offsets_of "$BIN/race"
	bind "p:w $BIN/race:${OFF[race_start]} ${OFF[race_stop]} threshold=$budget"
	# shellcheck disable=SC2086
	OUT=$("$BIN/race" $options "$CTL/stats" w "$budget" "$count")
	diag "$OUT"
	eq "windows that were reported, or not, against their length" \
		"$(fld " $OUT" mismatches)" 0
	violations=$(stat_of w violations)
	stats_are w started="$count" stopped="$count"
	check_reports "$violations"
	eq "done_tlob events" "$(nr_events done_tlob)" "$violations"

	# Not vacuous: both sides and, where time is steady, near the budget.
	[ "${MODE:-up}" != smp ] || least=1
	between "windows over budget" "$violations" "$least" $((count - least))
	[ "${MODE:-up}" = smp ] ||
		ge "windows within 3 us of the budget" "$(fld " $OUT" near)" $((count / (SLOW > 1 ? 50 : 3)))
}

# slow_disk FILE RATE: a loop device $DISK of FILE, from which tasks of the cgroup
# $SLOW_GROUP read RATE bytes a second
slow_disk()
{
	SLOW_GROUP=/sys/fs/cgroup/tlob_test
	modprobe loop 2> /dev/null
	DISK=$(losetup --find --show "$1") || skip "no loop device"
	defer "losetup --detach $DISK"
	echo +io > /sys/fs/cgroup/cgroup.subtree_control || skip "no io controller"
	mkdir "$SLOW_GROUP" || die "mkdir $SLOW_GROUP"
	defer "rmdir $SLOW_GROUP"
	echo "$(<"/sys/block/${DISK#/dev/}/dev") rbps=$2" > "$SLOW_GROUP/io.max" ||
		skip "no io.max"
}

# in_slow_group COMMAND...
in_slow_group()
{
	# shellcheck disable=SC2016
	bash -c 'echo $BASHPID > "$0/cgroup.procs"; exec "$@"' "$SLOW_GROUP" "$@"
}

# A window of $BUDGET ns, or 5 ms, around a read of a disk of 256 KiB a second
slow_disk_read()
{
	truncate -s 8M "$T/disk"
	slow_disk "$T/disk" 262144
	bind "p:w $P1 threshold=${BUDGET:-5000000}"
	OUT=$(in_slow_group "$SEC" disk:"$DISK" start disk:"$DISK" stop)
}

# Real-time tasks may take a whole CPU for the length of a case.
rt_unlimited()
{
	local file=/proc/sys/kernel/sched_rt_runtime_us

	defer "echo $(<$file) > $file"
	echo -1 > "$file"
}

# --- cases -------------------------------------------------------------------

# defer COMMAND: run when the case ends, the last one first
DEFERRED=()
defer()
{
	DEFERRED+=("$1")
}

end_case()
{
	local status=$? i pids

	mapfile -t pids < <(jobs -p)
	if [ ${#pids[@]} -gt 0 ]; then
		kill -KILL "${pids[@]}" 2> /dev/null
		wait
	fi
	if [ $status -eq 0 ]; then
		if loaded && ! of_files "$1"; then
			check_identity
		fi
		status=$FAILED
	elif [ $status -eq 4 ] && [ "$FAILED" != 0 ]; then
		status=1	# skipped after a failure
	fi
	for ((i = ${#DEFERRED[@]} - 1; i >= 0; i--)); do
		eval "${DEFERRED[i]}"
	done
	if [ $status -eq 1 ] && loaded && ! of_files "$1"; then
		diag "stats:"
		diag "$(<"$CTL/stats")"
		diag "last events:"
		diag "$(tail -n 8 "$TRACE/trace")"
	fi
	exit $status
}

# What a case starts from
fresh()
{
	if [ -e "$ROOT/reload" ]; then
		rm -f "$ROOT/reload"
		if loaded; then
			tlob_unload || return 1
		fi
	fi
	if loaded; then
		find_ctl || return 1
		echo '-*' > "$CTL/monitor"
		record "${EV_REPORTS[@]}"
	else
		tlob_load || return 1
	fi
	echo 1 > "$CTL/enable"
}

CASES=()
CASE_NAMES=()
CASES_OF_FILES=' '
tcase()
{
	CASES+=("$1")
	CASE_NAMES+=("$2")
}

# A case that looks at files that an earlier one has left, not at the module: nothing
# is made fresh for it.
tcase_of_files()
{
	tcase "$@"
	CASES_OF_FILES+="$1 "
}

of_files()
{
	[[ $CASES_OF_FILES = *" $1 "* ]]
}

run_case()
{
	# shellcheck disable=SC2064 # now
	trap "end_case $1" EXIT
	T=$ROOT/$1
	mkdir "$T"
	of_files "$1" || fresh || die "no fresh module"
	"$1"
	exit 0
}

run_cases()
{
	local i status bad=0 n=0

	echo "KTAP version 1"
	echo "1..${#CASES[@]}"
	for i in "${!CASES[@]}"; do
		n=$((n + 1))
		if [ -n "${ONLY:-}" ] && [ "$ONLY" != "${CASES[i]}" ]; then
			echo "ok $n ${CASE_NAMES[i]} # SKIP not asked for"
			continue
		fi
		(run_case "${CASES[i]}")
		status=$?
		case $status in
		0)	echo "ok $n ${CASE_NAMES[i]}" ;;
		4)	echo "ok $n ${CASE_NAMES[i]} # SKIP $(<"$ROOT/skip")" ;;
		*)	echo "not ok $n ${CASE_NAMES[i]}"
			bad=1 ;;
		esac
	done
	if loaded; then
		tlob_unload || bad=1
	fi
	[ ! -d "$TRACE" ] || rmdir "$TRACE"
	rm -rf "$ROOT"
	exit $bad
}

offsets_of "$SEC"
START=${OFF[sec_start]}
STOP=${OFF[sec_stop]}
START2=${OFF[sec2_start]}
STOP2=${OFF[sec2_stop]}
START3=${OFF[sec3_start]}
STOP3=${OFF[sec3_stop]}
CALL=${OFF[sec_call]}
P1="$SEC:$START $STOP" P2="$SEC:$START2 $STOP2" P3="$SEC:$START3 $STOP3"
