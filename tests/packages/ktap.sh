# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Results of a test in KTAP, with the plan at the end.

KTAP_N=0 KTAP_FAILED=0

# is NAME WANTED GOT
is() {
	if [[ $2 = "$3" ]]; then
		ok "$1"
	else
		not_ok "$1" "wanted: $2" "got:    $3"
	fi
}

ok() {
	KTAP_N=$((KTAP_N + 1))
	echo "ok $KTAP_N $1"
}

# not_ok NAME TEXT...
not_ok() {
	KTAP_N=$((KTAP_N + 1)) KTAP_FAILED=1
	echo "not ok $KTAP_N $1"
	shift
	[[ $# -eq 0 ]] || printf '%s\n' "$@" | sed 's/^/# /'
}

# skip NAME WHY
skip() {
	KTAP_N=$((KTAP_N + 1))
	echo "ok $KTAP_N $1 # SKIP $2"
}

# The end of a test: its plan, and its status.
plan() {
	echo "1..$KTAP_N"
	return $KTAP_FAILED
}
