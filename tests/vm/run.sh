# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Runs the tests of tests/behaviour in guests. Needs the other parts.

# header FILE KEY DEFAULT: the value of a comment "# KEY: VALUE".
header() {
	local value
	value=$(sed -n "1,20s/^# $2: *//p" "$1" | head -n 1)
	echo "${value:-$3}"
}

# All tests, those last that say "# last: WHY": the kernel is of no use after them.
ordered_tests() {
	local all=("$TOP"/tests/behaviour/*.sh)
	grep -L '^# last:' "${all[@]}" || :
	grep -l '^# last:' "${all[@]}" || :
}

# select_tests MODE PATTERN...: NAME:SECONDS of each test that fits, for the
# kernel that kernel_row has read.
select_tests() {
	local mode=$1 file name pattern seconds
	shift
	while read -r file; do
		[[ -x $file ]] || continue	# a library
		name=$(basename "$file" .sh)
		seconds=$(header "$file" timeout 60)
		[[ ${TLOB_LONG-} != 1 ]] || seconds=$(header "$file" long-timeout "$seconds")
		case " $(header "$file" mode up) " in *" $mode "*) ;; *) continue ;; esac
		for pattern in "${@:-}"; do
			if [[ $name = *"$pattern"* ]]; then
				echo "$name:$((seconds * SLOW))"
				break
			fi
		done
	done < <(ordered_tests)
}

# Whether by its console a guest died of a breakpoint that was no longer there: the
# byte before the one in <> is not int3. With two CPUs at once the emulator may
# run what it translated while another CPU was changing it, a static call, say;
# a real CPU has been made to forget it by then.
died_of_the_emulator() {
	awk '
		/Oops: int3:/ { oops = 1 }
		oops && match($0, /Code: .* [0-9a-f][0-9a-f] </) {
			gone = substr($0, RSTART + RLENGTH - 4, 2) != "cc"
			exit
		}
		END { exit !gone }' "$1"
}

# run_boot K MODE TEST...: one boot; PASS, FAIL and SKIP lines on stdout, the
# raw output of the guest in $CACHE/log/K-MODE.
run_boot() {
	local k=$1 mode=$2 job start=$SECONDS log=$CACHE/log/$1-$2 tries=${TRIES:-3}
	shift 2
	job=$(job_dir "$k-$mode")
	guest_tree "$k" "${TLOB_SRC:-$TOP}" "$job/root"
	install -m 755 "$HERE/tests-in-guest" "$job/root/tlob/job"
	say "$k $mode: booting for $# tests"
	boot "$k" "$mode" "$job" $((BOOT_LIMIT * SLOW)) "$@" | sed -unE 's/^not ok [0-9]* */         not ok: /p; s/^# FAIL: /           /p' >&2
	if [[ -e $job/died && $tries -gt 1 ]] && died_of_the_emulator "$job/console"; then
		echo "SKIP $k $mode boot: the emulator ran a breakpoint that was gone, so the guest was booted once more"
		rm -rf "$job"
		TRIES=$((tries - 1)) run_boot "$k" "$mode" "$@"
		return
	fi
	"$HERE/verdict" "$k" "$mode" "$job" "${@%:*}"
	rm -rf "$job/root" "$log"
	mkdir -p "${log%/*}"
	mv -T "$job" "$log"
	say "$k $mode: took $((SECONDS - start)) s; its output is in $log"
}

# vm_panic K: a boot that dies by the reactor panic, and says why.
vm_panic() {
	local k=$1 job why='' want
	kernel_row "$k"
	prepare "$k"
	job=$(job_dir "$k-panic")
	guest_tree "$k" "${TLOB_SRC:-$TOP}" "$job/root"
	install -m 755 "$HERE/panic-in-guest" "$job/root/tlob/job"
	say "$k: a boot that is to die"
	boot "$k" up "$job" $((BOOT_LIMIT * SLOW)) >"$job/said"
	# 5.10-rt has it in a line of its own; where the printer is told, it comes first.
	want='^\[ *[0-9.]*\]\(\[ *[CT][0-9]*\]\)\? \(Kernel panic - not syncing: \)\?rv: monitor tlob does not allow event budget_exceeded on state sleeping with env clk_elapsed=[0-9]'
	grep -qx armed "$job/said" || why="it did not come as far: $(tail -n 1 "$job/said")"
	! grep -qx survived "$job/said" || why=${why:-it survived}
	[[ -s $job/died ]] || why=${why:-it came to its end}
	[[ $(grep -c "$want" "$job/console") -eq 1 ]] || why=${why:-the console does not say why}
	[[ $(grep -c 'Kernel panic' "$job/console") -eq 1 ]] || why=${why:-another panic}
	if [[ $why ]]; then
		echo "FAIL $k up panic: the reactor panic: $why"
		tail -n 20 "$job/console" >&2
	else
		echo "PASS $k up panic: the reactor panic"
	fi
	rm -rf "$job"
	[[ -z $why ]]
}

# Prints the verdicts and "KERNEL: N passed, N failed, N skipped". Exit status
# 1: something failed; 3: no test fits. A test named in LEAVE_OUT is skipped.
vm_run() {
	local k=$1 modes='up duo smp' mode test tests
	shift
	if [[ ${1-} = -m ]]; then
		modes=$2
		shift 2
	fi
	kernel_row "$k"
	prepare "$k"
	results=$(mktemp)
	trap 'rm -f "$results"' EXIT
	for mode in $modes; do
		tests=()
		while read -r test; do
			if [[ " ${LEAVE_OUT-} " = *" ${test%:*} "* ]]; then
				echo "SKIP $k $mode ${test%:*}: left out of a run of all; make check KERNELS=$k" | tee -a "$results"
			else
				tests+=("$test")
			fi
		done < <(select_tests "$mode" "$@")
		[[ ${#tests[@]} -eq 0 ]] || run_boot "$k" "$mode" "${tests[@]}" | tee -a "$results"
	done
	awk -v k="$k" '
		{ n[$1]++ }
		END {
			printf "%s: %d passed, %d failed, %d skipped\n", k, n["PASS"], n["FAIL"], n["SKIP"]
			exit NR == 0 ? 3 : n["FAIL"] > 0
		}' "$results"
}
