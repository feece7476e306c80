#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# mode: up smp
# timeout: 180
# long-timeout: 2400
#
# Everything at once, by chance; then nothing is open, all windows are accounted
# for and the module goes. SEED=n does the same again, DURATION=s for so long.

. "$(dirname "$0")/lib.sh"

HAMMER=$BIN/hammer
ROUND=10		# seconds; after each there is quiet, and the sums are checked

SEED=${SEED:-$((RANDOM << 15 | RANDOM))}
if [ -z "${DURATION:-}" ]; then
	DURATION=$((12 * SLOW))
	[ "${MODE:-up}" = smp ] || DURATION=4
	[ "${TLOB_LONG:-}" != 1 ] || [ "${MODE:-up}" != smp ] || DURATION=1200
fi

declare -A SUM

# pound SECONDS OPTION...: one round with the seed; adds to SUM what came about
pound()
{
	local seconds=$1 kv kvs status

	shift
	OUT=$("$HAMMER" -s "$SEED" -t "$seconds" "$@" "$CTL" "$TLOB_KO" \
		"p:one $HAMMER:${OFF[ham_start]} ${OFF[ham_stop]} threshold=200us" \
		"p:two $HAMMER:${OFF[ham2_start]} ${OFF[ham2_stop]},${OFF[ham_stop]} threshold=1ms" \
		"p:ret $HAMMER:${OFF[ham_call]} ${OFF[ham_call]}%return threshold=500us" \
		"p:mix $HAMMER:${OFF[ham_stop]} ${OFF[ham2_start]},${OFF[ham_call]}%return threshold=50us comm=hammer" \
		"p:gone /proc/self/exe:${OFF[ham2_stop]} ${OFF[ham_start]} threshold=2us" 2>&1)
	status=$?
	[ "$status" = 0 ] || fail "exit status $status with SEED=$SEED: $OUT"
	read -ra kvs < <(sed -n 's/^result//p' <<< "$OUT")
	for kv in "${kvs[@]}"; do
		SUM[${kv%%=*}]=$((${SUM[${kv%%=*}]:-0} + ${kv#*=}))
	done
	while read -r kv; do
		SUM[${kv%%=*}]=$((${SUM[${kv%%=*}]:-0} + ${kv#*=}))
	done < <(grep -oE '(exited|execed|violations)=[0-9]+' "$CTL/stats")
	find_ctl || die "no control files after SEED=$SEED"
	eq "enable" "$(tr -d "\0" < "$CTL/enable")" 1
	check_identity
}

everything()
{
	local left=$DURATION seconds what sums=""
	local -A OFF

	offsets_of "$HAMMER"
	touch "$ROOT/reload"
	diag "SEED=$SEED DURATION=$DURATION"
	while ((left > 0)); do
		seconds=$((left < ROUND ? left : ROUND))
		diag "round of SEED=$SEED"
		pound "$seconds" -r "$TRACE"
		if [ "$FAILED" != 0 ]; then
			diag "that was SEED=$SEED DURATION=$seconds: $OUT"
			return
		fi
		echo '-*' > "$CTL/monitor"
		check_identity
		left=$((left - seconds))
		SEED=$((SEED + 1))
	done
	tlob_unload || fail "the module does not unload"
	for what in "${!SUM[@]}"; do
		sums+="$what=${SUM[$what]} "
	done
	diag "$sums"
	for what in sections calls threads forks; do
		ge "$what" "${SUM[$what]}" 1
	done
	# In a short run chance may leave out any of these.
	if [ "${TLOB_LONG:-}" = 1 ]; then
		for what in dev_windows execs kills binds unbinds enables disables reads \
			violations exited execed unloads; do
			ge "$what" "${SUM[$what]}" $((DURATION / 40))
		done
		[ ! -w /sys/devices/system/cpu/cpu1/online ] || ge "hotplugs" "${SUM[hotplugs]}" 1
	fi
}

tcase everything "everything at once"
run_cases
