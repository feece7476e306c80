#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# mode: up smp
# timeout: 600
#
# The selftests, which are made for any machine, on this one: they pass, and
# leave things as they were. The first document is what they print themselves.
# What is about their runner is the same on all kernels, and is tried on one.

. "$(dirname "$0")/lib.sh"

SELFTESTS=$TLOB_DIR/tests/selftests
export TLOB_SELFTEST_PROGS=$BIN

# What a run may not change
state()
{
	cat "$CTL/bindings" "$CTL/enable" "$CTL/reactors" | tr -d '\0'
	grep '^binding=mine ' "$CTL/stats"
	ls "$TRACEFS/instances"
	ls /tmp
}

# A run that finds the monitor disabled, and nobody using it
all()
{
	local before status

	echo 0 > "$CTL/enable"
	before=$(state)
	"$SELFTESTS/run"
	status=$?
	[ "$before" = "$(state)" ] || diff <(echo "$before") <(state) > "$ROOT/changed"
	return $status
}

as_it_was()
{
	[ ! -e "$ROOT/changed" ] || fail "$(<"$ROOT/changed")"
	# Also bindings that tests left to the runner
	ge "bindings that came and went" "$(stat_of removed started)" 10
}

# selftests NAME...: those; sets OUT. Nothing fails.
selftests()
{
	local status

	OUT=$("$SELFTESTS/run" "${@/#/"$SELFTESTS/test.d/"}")
	status=$?
	[ "$status" -eq 0 ] || fail "status $status: $OUT"
}

# result NAME REGEX: of a test in $OUT, behind its name
result()
{
	matches "$1" "$(grep -E "^(not )?ok [0-9]+ $1: " <<< "$OUT")" "^ok [0-9]+ $1: [^#]*$2\$"
}

# The bindings of others live on; what would disturb them is not run.
others()
{
	local before

	echo printk > "$CTL/reactors"
	bind "p:mine $P1 threshold=3600s"
	bg start ready wait stop
	await
	before=$(state)
	selftests enable.tc reactors.tc bind.tc restart.tc violation_fields.tc ioctl_over.tc
	result enable '# SKIP there are bindings of others'
	result reactors '# SKIP there are bindings of others'
	result bind ''
	result restart ''
	result violation_fields ''
	result ioctl_over ''
	eq "what there is" "$(state)" "$before"
	stats_are mine started=1 open=1
	echo 0 > "$CTL/enable"
	selftests bind.tc restart.tc
	result bind ''
	result restart '# SKIP there are bindings of others, and the monitor is disabled'
	eq "enable" "$(tr -d '\0' < "$CTL/enable")" 0
	echo panic > "$CTL/reactors"
	echo 1 > "$CTL/enable"
	selftests bind.tc restart.tc
	result restart '# SKIP there are bindings of others, and the reactor is panic'
	echo nop > "$CTL/reactors"
	go
	finish
}

# Whoever has /dev/tlob open is somebody, too.
device_in_use()
{
	exec 8<> /dev/tlob
	selftests enable.tc stop_without_start.tc
	exec 8>&-
	result enable '# SKIP the module is in use'
	result stop_without_start ''
}

interrupted()
{
	local before pid signal

	# shellcheck disable=SC2016 # the runner's shell expands
	printf '%s\n' '# requires: alone trace' 'bind w start stop threshold=1s' \
		'echo printk > "$CTL/reactors"' 'in_section start ready wait' \
		'echo > '"$T/ready" 'wait "$BG"' > "$T/hangs.tc"
	echo 0 > "$CTL/enable"
	before=$(state)
	for signal in HUP INT TERM; do
		rm -f "$T/ready"
		# An interactive shell's jobs do not ignore SIGINT.
		set -m
		"$SELFTESTS/run" "$T/hangs.tc" > "$T/out" 2>&1 &
		pid=$!
		set +m
		for _ in {1..300}; do
			[ ! -e "$T/ready" ] || break
			sleep 0.1
		done
		ge "bindings before SIG$signal" "$(grep -c selftest- "$CTL/bindings")" 1
		kill -"$signal" "$pid"
		wait "$pid"
		eq "status by SIG$signal" $? $((128 + $(kill -l "$signal")))
		eq "what there is after SIG$signal" "$(state)" "$before"
	done
}

hangs()
{
	local out

	# shellcheck disable=SC2016
	printf '%s\n' 'in_section ready wait' 'wait "$BG"' > "$T/hangs.tc"
	out=$(TLOB_SELFTEST_LIMIT=2 "$SELFTESTS/run" "$T/hangs.tc")
	eq "status" $? 1
	matches "result" "$out" "not ok 1 hangs"$'\n'"# it ran out of time, 2 s"
	eq "programs that are left" "$(pgrep -x section)" ""
}

offsets()
{
	local mark

	eq "offsets" "$("$SEC" offsets)" "$(for mark in start stop start2 stop2 start3 stop3 call; do
		case $mark in
		*[23]) echo "offset $mark=${OFF[sec${mark: -1}_${mark%?}]}" ;;
		*) echo "offset $mark=${OFF[sec_$mark]}" ;;
		esac
	done)"
}

not_loaded()
{
	local out

	tlob_unload
	out=$("$SELFTESTS/run")
	eq "status" $? 4
	eq "output" "$out" $'KTAP version 1\n1..0 # SKIP the module is not loaded: modprobe tlob'
}

case ${MODE:-up}-${KERNEL:-7.3} in
smp-7.3 | up-5.10 | up-7.3* | up-rv* | up-*debug | up-kcsan) ;;
*)	echo "KTAP version 1"
	echo "1..0 # SKIP on the oldest and the newest only: other tests are about the kernels"
	rm -rf "$ROOT"
	exit 0 ;;
esac
tcase as_it_was "all is as it was before"
if [ "${MODE:-up}" = up ] && [ "${KERNEL:-7.3}" = 7.3 ]; then
	tcase others "the bindings of others are left alone"
	tcase device_in_use "an open /dev/tlob is left alone"
	tcase interrupted "all is as it was before when it is interrupted"
	tcase hangs "a test that hangs is ended, and fails"
fi
tcase offsets "section tells its offsets as nm and readelf do"
tcase not_loaded "without the module, all is skipped"

tlob_load || die "insmod"
all
failed=$?
(run_cases)
cases=$?
exit $((failed || cases))
