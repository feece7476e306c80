#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# mode: up
# timeout: 300
#
# The stop and the deadline race: a window is reported if and only if its own
# length is at or over its budget, and then once.

. "$(dirname "$0")/lib.sh"

each_window()
{
	eq "windows over by their own length" "$(fld " $OUT" over)" "$(stat_of w violations)"
}

# A budget so short that the timer is cancelled at each stop
spin_short()
{
	race "" $((20000 * SLOW)) 3000
	each_window
}

# One where the timer of a window in budget stays armed over its stop
spin_long()
{
	race "" 200000 600
	each_window
}

# The deadline and the task's own wakeup come together.
sleep_to_the_deadline()
{
	race -s 150000 2000
	each_window
}

back_to_back()
{
	race -b $((30000 * SLOW)) 3000
	between "violations" "$(stat_of w violations)" \
		"$(fld " $OUT" low_over)" "$(fld " $OUT" high_over)"
}

tcase spin_short "a loop that ends within a microsecond of a budget of 20 us"
tcase spin_long "the same with 200 us"
tcase sleep_to_the_deadline "a sleep that ends within microseconds of the budget"
tcase back_to_back "windows back to back"
run_cases
