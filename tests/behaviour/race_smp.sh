#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# mode: smp
# timeout: 300
#
# As race.sh, in wall-clock time and with the timer left behind on another CPU.

. "$(dirname "$0")/lib.sh"

each_window()
{
	eq "windows over by their own length" "$(fld " $OUT" over)" "$(stat_of w violations)"
}

migrating()
{
	race -m 2000000 500
	each_window
}

spinning()
{
	race "" 200000 2000
	each_window
}

sleeping()
{
	race -s 1000000 1000
	each_window
}

back_to_back()
{
	race "-b -m" 2000000 1000
	between "violations" "$(stat_of w violations)" \
		"$(fld " $OUT" low_over)" "$(fld " $OUT" high_over)"
}

tcase migrating "each window changes the CPU"
tcase spinning "windows that end in a loop"
tcase sleeping "windows that end in a sleep"
tcase back_to_back "back to back, changing the CPU"
run_cases
