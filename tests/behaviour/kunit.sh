#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# mode: up smp
# timeout: 240
#
# The KUnit suites of tests/modules/tlob_kunit, on kernels with CONFIG_KUNIT:
# one result per case. The first of them to be asked for loads the module, which
# runs all of them.

. "$(dirname "$0")/lib.sh"

KO=$TLOB_DIR/tlob_kunit.ko
DEBUGFS=/sys/kernel/debug/kunit
RESULTS=$ROOT/kunit
NOTE="tlob-kunit: loading"

# What must be there: a suite and its cases
SUITES="
tlob_automaton every_cell initial_state final_states names resynchronised
tlob_hist bucket_bounds relative_error totals
tlob_task_api start_stop_ok double_start stop_without_start threshold_range
	immediate_deadline enospc exited deadline_fires_running deadline_fires_waiting
	deadline_fires_sleeping reinit_clears_all
tlob_sched_integration sched_switch_accounting monitor_other_task
	monitor_running_task guess_from_the_start wrong_guess anomaly
tlob_uprobe_format accepted rejected out_of_range removal
tlob_trace_output event_format error_format error_env_format detail_format
	done_format
tlob_violation_react no_error_within_budget detail_running_dominates
	detail_sleeping_dominates detail_waiting_dominates
tlob_windows waker_since_the_start nested overlapping restart
	recursion_outermost recursion_longjmp recursion_returns
	over_when_ended over_when_refused
tlob_pool exhaustion reuse alternating
tlob_stats identity
"

have_kunit()
{
	[ -d /sys/module/kunit ] || modprobe kunit 2> /dev/null
}

suites()
{
	grep -o 'tlob_[a-z_]*' <<< "$SUITES"
}

# cases_of SUITE
cases_of()
{
	tr -s '\n\t ' ' ' <<< "$SUITES" | sed "s/.* $1 //; s/ tlob_.*//"
}

# KTAP of a suite, without its nesting. It is in debugfs, or in the kernel log.
results_of()
{
	if [ -d "$DEBUGFS" ]; then
		cat "$DEBUGFS/$1/results"
	else
		dmesg | tac | sed "/$NOTE/q" | tac | sed -E 's/^\[[^]]*\] (\[ *[TC][0-9]+\] )?//' |
			awk -v s="$1" '/# Subtest: / { on = $NF == s } on || $NF == s'
	fi
}

load_kunit()
{
	echo "$NOTE" > /dev/kmsg
	insmod "$KO" program="$SEC" || die "insmod tlob_kunit"
}

unload_kunit()
{
	rmmod tlob_kunit || die "rmmod tlob_kunit"
}

run_kunit()
{
	local suite

	fresh || die "no fresh module"
	mkdir "$RESULTS"
	load_kunit
	while read -r suite; do
		results_of "$suite" > "$RESULTS/$suite" 2> /dev/null
	done < <(suites)
	find "$DEBUGFS" -maxdepth 1 -name 'tlob_*' -printf '%f\n' > "$RESULTS/.suites" 2> /dev/null
	unload_kunit
	check_identity
}

# result SUITE CASE: as the case of ours
result()
{
	local line

	[ -d "$RESULTS" ] || run_kunit
	line=$(grep -E "^ *(not )?ok [0-9]+ $2( |\$)" "$RESULTS/$1" | head -n 1)
	case $line in
	*"not ok "*) fail "$1 $2" ;;
	*"# SKIP"*) skip "${line#*# SKIP }" ;;
	*"ok "*) ;;
	*) fail "no result of $1 $2" ;;
	esac
	# What it said: all since the result before.
	[ "$FAILED" = 0 ] || diag "$(awk -v c="$2" '
		/^ *(not )?ok [0-9]+ / { if ($0 ~ "ok [0-9]+ " c "( |$)") { print text $0; exit } text = ""; next }
		{ text = text $0 "\n" }' "$RESULTS/$1")"
}

# No suite and no case that is not in the table above.
complete()
{
	local suite got

	[ -d "$RESULTS" ] || run_kunit
	while read -r suite; do
		got=$(sed -nE 's/^    (not )?ok [0-9]+ ([^ ]*).*/\2/p' "$RESULTS/$suite" | xargs)
		eq "cases of $suite" "$got" "$(cases_of "$suite" | xargs)"
	done < <(suites)
	[ ! -s "$RESULTS/.suites" ] ||
		eq "suites" "$(sort "$RESULTS/.suites" | xargs)" "$(suites | sort | xargs)"
}

# What is used by others is left alone.
in_use()
{
	local suite

	bind "p:w $P1 threshold=1s"
	exec 9< /dev/tlob
	load_kunit
	for suite in tlob_task_api tlob_windows tlob_uprobe_format; do
		matches "$suite with tlob in use" "$(results_of "$suite")" \
			"ok [0-9]+ $suite # SKIP tlob is in use: a file of it is open"
	done
	unload_kunit
	exec 9<&-
	load_kunit
	matches "with a binding" "$(results_of tlob_pool)" \
		"ok [0-9]+ tlob_pool # SKIP tlob is in use: it has bindings"
	unload_kunit
	matches "bindings" "$(<"$CTL/bindings")" "^p:w "
	eq "enable" "$(<"$CTL/enable")" 1
}

# Windows that overrun would be the end.
no_panic()
{
	local before

	before=$(sed -n 's/^\[\(.*\)\]$/\1/p' "$CTL/reactors")
	grep -qw panic "$CTL/reactors" || skip "no reactor panic"
	defer "echo ${before:-nop} > $CTL/reactors"
	echo panic > "$CTL/reactors"
	load_kunit
	matches "with reactor panic" "$(results_of tlob_task_api)" \
		"ok [0-9]+ tlob_task_api # SKIP tlob is in use: its reactor is panic"
	unload_kunit
}

# Enabled or not, as it was; and what is a fault one way is one the other way.
state_is_restored()
{
	local suite

	echo 0 > "$CTL/enable"
	load_kunit
	eq "enable, that was 0" "$(<"$CTL/enable")" 0
	while read -r suite; do
		results_of "$suite" > "$T/$suite"
		grep -Eq "^ok [0-9]+ $suite\$" "$T/$suite" || fail "$suite: $(<"$T/$suite")"
	done < <(suites)
	unload_kunit
	echo 1 > "$CTL/enable"
	eq "bindings" "$(<"$CTL/bindings")" ""
}

if ! have_kunit; then
	echo "KTAP version 1"
	echo "1..0 # SKIP this kernel has no KUnit (CONFIG_KUNIT)"
	rm -rf "$ROOT"
	exit 0
fi

while read -r suite; do
	for case in $(cases_of "$suite"); do
		eval "${suite}_$case() { result $suite $case; }"
		tcase_of_files "${suite}_$case" "$suite: $case"
	done
done < <(suites)
tcase_of_files complete "all suites and cases, and no others"
tcase in_use "suites are skipped while tlob is in use"
tcase no_panic "suites are skipped if an overrun panics"
tcase state_is_restored "enable is as it was"
run_cases
