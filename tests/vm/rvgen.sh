# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# The kernel's own generator of monitors, rvgen, on our model. Needs lib.sh,
# apt.sh, fetch.sh and testkernel.sh.

RVGEN_KERNEL=rv			# whose source has it
RVGEN_PATH=tools/verification/rvgen

# Fills DIR with rvgen, and what runs it.
rvgen_root() {
	local dir=$1 source
	source=$(kernel_source)
	once "$CACHE/source/$source" kernel_source_get "$source"
	say "getting rvgen from $source"
	unpack "$RELEASE" "$dir" python3-minimal libpython3-stdlib python3-lark
	mkdir "$dir/rvgen"
	dpkg-deb --fsys-tarfile "$CACHE/source/$source"/*.deb | tar -xO --wildcards './usr/src/*.tar.xz' |
		xz -dc | tar -x -C "$dir/rvgen" --wildcards --strip-components=4 "*/$RVGEN_PATH/*"
}

# rvgen ROOT DOT OUT: what it makes of DOT, as a monitor of tasks with clocks.
rvgen() {
	local root=$1 dot=$2 out=$3
	rm -rf "$root/tlob"
	cp "$dot" "$root/tlob.dot"
	chroot "$root" python3 /rvgen monitor -c ha -t per_task -n tlob -s tlob.dot >"$out.log" 2>&1 || return 1
	mv -T "$root/tlob" "$out"
}

# The declarations of C files: no comments, no lines of the preprocessor but
# INVALID_STATE, blanks alike.
rvgen_code() {
	cat "$@" | awk '
		/^#define INVALID_STATE/ { print; next }
		/^#|^_Static_assert/ { next }
		{ print }' |
		perl -0pe 's{/\*.*?\*/|//[^\n]*}{}gs; s/\s+/ /g; s/, \}/ }/g; s/^ //; s/([;{}]|state_max_tlob(?= enum)) /$1\n/g'
}

# What a generated monitor and ours must have in common, from the enums to the
# table. Ours declares the table in one file and defines it in another.
rvgen_theirs() { rvgen_code "$1/tlob.h" | sed 's/^static const /const /'; }
rvgen_ours() {
	rvgen_code "$1/automaton.h" "$1/automaton.c" |
		sed '/^extern const struct automaton_tlob automaton_tlob;/d
			/tlob_state_after(.*;$/d; /^enum states_tlob tlob_state_after(/,$d'
}

# States of a generated monitor in which the clock is held to the budget, and
# the event that sets it back.
rvgen_invariants() {
	sed -n '/ha_verify_invariants(/,/^}/ s/.*curr_state == \([a-z_]*\)).*/\1/p' "$1/tlob.c" | sort | xargs
	grep -c 'return ha_check_invariant_ns(ha_mon, clk_elapsed_tlob, time_ns, BUDGET_NS(ha_mon));' "$1/tlob.c"
	sed -n '/ha_verify_guards(/,/^}/ { /curr_state ==/N; s/\n\s*/ /; s/.*\(curr_state == .*\)) ha_reset_env(ha_mon, clk_elapsed_tlob, time_ns);/\1/p }' "$1/tlob.c"
}

# vm_rvgen: that rvgen takes src/tlob.dot, and makes our automaton of it; prints KTAP.
vm_rvgen() {
	local root dir n=0 bad=0 src=${TLOB_SRC:-$TOP}/src
	need_root
	setup
	kernel_row "$RVGEN_KERNEL"
	root=$CACHE/root/$RELEASE-rvgen-$(declare -f rvgen_root unpack | sha256sum | cut -c1-8)
	once "$root" rvgen_root
	dir=$(mktemp -d)
	# shellcheck disable=SC2064 # this directory
	trap "rm -rf '$dir'" EXIT

	# is NAME WANTED GOT
	is() {
		n=$((n + 1))
		if [[ $2 = "$3" ]]; then
			echo "ok $n $1"
		else
			bad=1
			echo "not ok $n $1"
			diff <(echo "$2") <(echo "$3") | sed 's/^/# /' || :
		fi
	}
	# edited EDIT: whether rvgen makes our automaton of the DOT so changed
	edited() {
		sed "$1" "$src/tlob.dot" >"$dir/edited.dot"
		rm -rf "$dir/edited"
		rvgen "$root" "$dir/edited.dot" "$dir/edited" || { echo refused; return; }
		[[ $(rvgen_theirs "$dir/edited"; echo; rvgen_invariants "$dir/edited") = \
			"$(rvgen_ours "$src"; echo; rvgen_invariants "$dir/out")" ]] && echo same || echo differs
	}
	echo 'KTAP version 1'
	rvgen "$root" "$src/tlob.dot" "$dir/out" || cat "$dir/out.log" >&2
	is 'rvgen takes src/tlob.dot' yes "$([[ ! -e $dir/out/tlob.h ]] || echo yes)"
	is 'it makes the automaton of src/automaton.[hc] of it' "$(rvgen_ours "$src")" "$(rvgen_theirs "$dir/out")"
	is 'the budget holds in every state, and a start sets the clock back' \
		$'running_tlob sleeping_tlob waiting_tlob\n3\ncurr_state == running_tlob && event == start_tlob' \
		"$(rvgen_invariants "$dir/out")"
	is 'an unchanged DOT is the same' same "$(edited '')"
	is 'told apart: a transition elsewhere' differs "$(edited 's/"sleeping" -> "waiting"/"sleeping" -> "running"/')"
	is 'told apart: another name of an event' differs "$(edited 's/preempt/yield/')"
	is 'told apart: a state without the invariant' differs "$(edited 's/"sleeping\\nclk_elapsed < BUDGET_NS()"/"sleeping"/')"
	is 'refused: no initial state' refused "$(edited '/__init_running/d')"
	echo "1..$n"
	return $bad
}
