#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# mode: up
# timeout: 120
#
# What looks for leaks after each test finds those of a module.

. "$(dirname "$0")/lib.sh"

LEAKS=/tlob/tests/vm/leaks
LOST=10			# objects that tlob_leak loses when it is loaded

# nothing_before: what comes is of this case.
nothing_before()
{
	[ -e /sys/kernel/debug/kmemleak ] || skip "this kernel has no kmemleak"
	[ -e "$TLOB_DIR/tlob_leak.ko" ] || die "tlob_leak was not built"
	"$LEAKS" > "$T/before" || die "$LEAKS: status $?"
	eq "lost before" "$(<"$T/before")" ""
}

# nr_lost: how many objects are found, whose traces are in $T/lost
nr_lost()
{
	"$LEAKS" > "$T/lost" || fail "$LEAKS: status $?"
	grep -c '^unreferenced object' "$T/lost"
}

lost_by_a_module()
{
	nothing_before
	insmod "$TLOB_DIR/tlob_leak.ko" || die "insmod"
	between "objects" "$(nr_lost)" $((LOST / 2)) $LOST
	matches "traces" "$(<"$T/lost")" 'lose\+.*\[tlob_leak\]'
	rmmod tlob_leak
}

lost_by_one_that_is_gone()
{
	nothing_before
	insmod "$TLOB_DIR/tlob_leak.ko" || die "insmod"
	rmmod tlob_leak
	between "objects" "$(nr_lost)" $((LOST / 2)) $LOST
	eq "traces with the name" "$(grep -c 'tlob_leak' "$T/lost")" 0
}

tcase lost_by_a_module "memory that a module has lost is found"
tcase lost_by_one_that_is_gone "that of a module that is gone, too"
run_cases
