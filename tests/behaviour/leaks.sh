#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# mode: up
# timeout: 120
#
# What looks for leaks after tests finds those of a module.

. "$(dirname "$0")/lib.sh"

LEAKS=$TLOB_DIR/tests/vm/leaks
LEAKY=$TLOB_DIR/tlob_leak.ko
LOST=10			# objects that it loses when it is loaded

# lose: has the module lose memory; ADDRESSES tells what.
lose()
{
	[ -e /sys/kernel/debug/kmemleak ] || skip "this kernel has no kmemleak"
	[ -e "$LEAKY" ] || die "tlob_leak was not built"
	"$LEAKS" > "$T/before" || die "$LEAKS: status $?"
	eq "lost before" "$(<"$T/before")" ""
	insmod "$LEAKY" || die "insmod"
	ADDRESSES=$(</sys/module/tlob_leak/parameters/lost)
}

# give_back: also what kmemleak has not found yet
give_back()
{
	insmod "$LEAKY" lost="$ADDRESSES" && rmmod tlob_leak || die "what was lost stays"
}

# nr_lost: how many objects are found, whose traces are in $T/lost
nr_lost()
{
	"$LEAKS" > "$T/lost" || fail "$LEAKS: status $?"
	grep -c '^unreferenced object' "$T/lost"
}

lost_by_a_module()
{
	lose
	between "objects" "$(nr_lost)" $((LOST / 2)) $LOST
	matches "traces" "$(<"$T/lost")" 'lose\+.*\[tlob_leak\]'
	rmmod tlob_leak
	give_back
}

lost_by_one_that_is_gone()
{
	lose
	rmmod tlob_leak
	between "objects" "$(nr_lost)" $((LOST / 2)) $LOST
	eq "traces with the name" "$(grep -c 'tlob_leak' "$T/lost")" 0
	give_back
}

tcase lost_by_a_module "memory that a module has lost is found"
tcase lost_by_one_that_is_gone "that of a module that is gone, too"
run_cases
