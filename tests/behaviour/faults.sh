#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# mode: up
# timeout: 300
# long-timeout: 1200
#
# Each allocation of loading, enabling, binding and opening fails, one at a
# time: nothing half-made is left, and what failed succeeds the next time. By
# the kernel's fault injection, which spares what is for each CPU, and by the module
# tlob_fail, which does not.

. "$(dirname "$0")/lib.sh"

FAULTS=$BIN/faults
DEBUGFS=/sys/kernel/debug
LOAD=		# parameters of the module
OURS=		# not by the kernel's fault injection
STRIDE=1	# of so many allocations one fails, chosen by SEED
[ "${TLOB_LONG:-}" = 1 ] || STRIDE=$SLOW

# By the kernel: any allocation may fail, also one that may wait, and copies from
# and to user space. None is told of.
may_fail()
{
	local dir

	[ -z "$OURS" ] && [ -e /proc/self/fail-nth ] || {
		only_ours_may_fail
		return
	}
	echo 0 > "$DEBUGFS/failslab/ignore-gfp-wait"
	echo 0 > "$DEBUGFS/fail_page_alloc/ignore-gfp-wait"
	echo 0 > "$DEBUGFS/fail_page_alloc/ignore-gfp-highmem"
	echo 0 > "$DEBUGFS/fail_page_alloc/min-order"
	for dir in "$DEBUGFS"/fail*; do
		[ ! -e "$dir/verbose" ] || echo 0 > "$dir/verbose"
	done
}

# By the module: what the kernel allocates around tlob does not fail.
only_ours_may_fail()
{
	[[ ! $KERNEL =~ ^[6-9] || ${TLOB_LONG:-} = 1 ]] ||
		skip "in the short run, of the stock kernels, on 5.10 only"
	insmod "$TLOB_DIR/tlob_fail.ko" 2> /dev/null ||
		skip "allocations of this kernel do not fail on demand"
	defer "rmmod tlob_fail"
}

# each LEAST OPERATION [TEXT [UNDO]]: at least LEAST times memory is short, where
# each allocation fails
each()
{
	local least=$((($1 + STRIDE - 1) / STRIDE)) status

	shift
	OUT=$("$FAULTS" -s "$STRIDE" "$CTL" "$TLOB_KO" "$@" 2>&1)
	status=$?
	diag "${*//$'\n'/\\n}: $OUT stride=$STRIDE SEED=${SEED:-}"
	[ "$status" = 0 ] || fail "$*"
	ge "$1: allocations that failed" "$(fld "$OUT" memory)" "$least"
}

loads()
{
	only_ours_may_fail
	touch "$ROOT/reload"
	tlob_unload || die "rmmod failed"
	# shellcheck disable=SC2086 # none or one
	each 10 load $LOAD
	tlob_load || die "insmod failed after it all"
}

loads_enabled()
{
	LOAD=enable=1
	loads
}

# With bindings of files that a program runs, so that there is something to place.
enables()
{
	may_fail
	bg ready wait
	await
	bind "p:one $P1 threshold=1s"
	bind "p:two $SEC:$CALL $CALL%return,$STOP2 threshold=1s"
	echo 0 > "$CTL/enable"
	each 3 enable 1 0
	echo 1 > "$CTL/enable"
	bg_works
}

# What is bound counts.
bg_works()
{
	local before

	before=$(stat_of one started)
	sec start stop
	eq "windows when it is over" "$(stat_of one started)" $((before + 1))
	go
	finish
}

disables()
{
	may_fail
	bind "p:one $P1 threshold=1s"
	each 0 enable 0 1
}

binds()
{
	may_fail
	bg ready wait
	await
	each 5 monitor "p:one $P1 threshold=1s"$'\n' "-:one"$'\n'
	each 5 monitor "p $SEC:$CALL $CALL%return,$STOP2,$STOP3 threshold=1s pid=$BG comm=a\\040b"$'\n' \
		"-$SEC:$CALL"$'\n'
	# Beside others
	bind "p:two $P2 threshold=1s"
	each 5 monitor "p:one $P1 threshold=1s"$'\n' "-:one"$'\n'
	bind "p:one $P1 threshold=1s"
	bg_works
}

binds_disabled()
{
	may_fail
	echo 0 > "$CTL/enable"
	each 5 monitor "p:one $P1 threshold=1s"$'\n' "-:one"$'\n'
	echo 1 > "$CTL/enable"
}

# Older kernels take a probe away without memory.
removals()
{
	may_fail
	bind "p:one $P1 threshold=1s"
	each 0 monitor "-:one"$'\n' "p:one $P1 threshold=1s"$'\n'
	each 0 monitor "-*"$'\n' "p:one $P1 threshold=1s"$'\n'
}

opens()
{
	local file least=0	# of ours: who asks for memory then is not tlob

	may_fail
	[ ! -e /proc/self/fail-nth ] || least=1
	each 1 open /dev/tlob
	echo 0 > "$CTL/enable"
	each 1 open /dev/tlob
	echo 1 > "$CTL/enable"
	for file in monitor bindings stats hist inflight error_log; do
		each $least open "$CTL/$file"
	done
}

# It attaches the scheduler's probes, as nothing is bound.
starts()
{
	may_fail
	each 3 start
}

device_writes()
{
	may_fail
	each 5 dev "p:one $P1 threshold=1s"$'\n' "-:one"$'\n'
	# With something to attach the scheduler's probes for
	bind "p:one $P1 threshold=1s"
	echo 0 > "$CTL/enable"
	each 3 dev "enable=1"$'\n' "enable=0"$'\n'
	echo 1 > "$CTL/enable"
}

# Where the kernel's own have failed above
enables_ours()
{
	OURS=1
	enables
}

binds_ours()
{
	OURS=1
	binds
}

tcase loads "loading"
tcase loads_enabled "loading with enable=1"
tcase enables "enabling"
tcase disables "disabling"
tcase binds "binding"
tcase binds_disabled "binding while disabled"
tcase removals "removing"
tcase opens "opening"
tcase starts "the first start by /dev/tlob"
tcase device_writes "commands by /dev/tlob"
if [ -e /proc/self/fail-nth ]; then
	tcase enables_ours "enabling, with what is for each CPU"
	tcase binds_ours "binding, with what is for each CPU"
fi
run_cases
