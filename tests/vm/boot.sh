# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Boots a guest and brings back what it has to say. Needs lib.sh, apt.sh,
# rootfs.sh and fetch.sh.

BOOT_LIMIT=180		# wall seconds until the guest must have booted; times SLOW

# Whose QEMU: 7.2, of bookworm, can keep the translation of an instruction that
# another CPU is changing (static calls, jump labels), so that with two CPUs a
# breakpoint that the kernel has long taken away again kills it.
QEMU_RELEASE=trixie

# Prints the directory that QEMU was unpacked to.
emulator() {
	local dir
	dir=$CACHE/qemu/$QEMU_RELEASE-$(declare -f unpack | sha256sum | cut -c1-8)
	once "$dir" emulator_make
	echo "$dir"
}

emulator_make() {
	say "getting the QEMU of $QEMU_RELEASE"
	unpack "$QEMU_RELEASE" "$1" qemu-system-x86
}

# qemu K MODE JOB EXTRA...: JOB/root is laid over the base. In modes up and
# duo, of one and two CPUs in turns, time is the number of instructions and idle
# time is skipped; in mode smp, of two CPUs at once, it is real.
qemu() {
	local k=$1 mode=$2 job=$3 accel append root lib cpu=max
	shift 3
	# shellcheck disable=SC2054 # commas of qemu
	case $mode in
	up) accel=(-accel tcg,thread=single -icount 'shift=0,sleep=off' -rtc clock=vm -smp 1) ;;
	duo) accel=(-accel tcg,thread=single -icount 'shift=0,sleep=off' -rtc clock=vm -smp 2) ;;
	smp) accel=(-accel tcg,thread=multi -smp 2) ;;
	*) die "no mode '$mode'; there are: up duo smp" ;;
	esac
	append='console=ttyS0 panic=-1 oops=panic loglevel=5 log_buf_len=4M nokaslr'
	append+=' mitigations=off no_timer_check tsc=reliable audit=0 ipv6.disable=1 random.trust_cpu=on unknown_nmi_panic'
	append+=' cryptomgr.notests'	# they take the CPU for seconds after the boot
	kernel_row "$k"
	if [[ $SLOW -gt 1 ]]; then
		append+=" watchdog_thresh=$((10 * SLOW)) workqueue.watchdog_thresh=$((30 * SLOW))"
		append+=" rcupdate.rcu_cpu_stall_timeout=$((21 * SLOW))"
	fi
	# Red zones and poison where our objects come from; races are looked for often.
	[[ $CONFIGS != *memory* ]] || append+=' slab_debug=FZP,kmalloc-*'
	[[ $CONFIGS != *kcsan* ]] || append+=' kcsan.skip_watch=1000'
	# An interrupt while identify_cpu() has the features cleared: KASAN then takes
	# any address of five levels for a wild one.
	[[ $CONFIGS != *memory* ]] || cpu+=,la57=off
	# shellcheck disable=SC2086 # a release and packages
	cat "$(guest_base)" "$KERNEL_DIR/modules.cpio" ${TLOB_PEERS:+"$(guest_peers $TLOB_PEERS)"} - \
		< <(pack "$job/root") >"$job/initrd"
	truncate -s 512M "$job/disk"
	# With the C library of its own release.
	root=$(emulator)
	lib=$root/usr/lib/x86_64-linux-gnu
	QEMU_MODULE_DIR=$lib/qemu exec setpriv --pdeathsig KILL \
		"$root/lib64/ld-linux-x86-64.so.2" --library-path "$lib" \
		"$root/usr/bin/qemu-system-x86_64" -L "$root/usr/share/qemu" -L "$root/usr/share/seabios" \
		-M pc "${accel[@]}" -cpu "$cpu" -m "${TLOB_MEMORY:-$MEMORY}" \
		-nodefaults -display none -no-reboot -net none \
		-kernel "$KERNEL_DIR/vmlinux" -initrd "$job/initrd" -append "$append" \
		-drive "file=$job/disk,if=virtio,format=raw,cache=unsafe" "$@"
}

# where_it_is JOB: asks the emulator's monitor, twice, then sends an NMI.
where_it_is() {
	local job=$1 i
	{
		for i in 1 2; do
			timeout 2 cat "$job/monitor.out" &
			echo 'info registers -a' >"$job/monitor.in"
			wait $! || :
		done
		echo nmi >"$job/monitor.in"
		sleep $((5 * SLOW))
	} 2>&1 | grep -v $'\e' >"$job/registers" || :	# without what it echoes
}

# boot K MODE JOB LIMIT [ARG...]: runs JOB/root/tlob/job ARG... in the guest.
# Its output goes to stdout as it comes; what the guest left is in JOB/out, the
# console in JOB/console, all lines of the guest in JOB/stream, the exit status
# in JOB/status, the wall seconds that each test took in JOB/seconds. JOB/died says
# why if the guest did not come to its end. LIMIT is in wall seconds; the guest
# changes what is left of it by "$MARK limit N". Where the CPUs of one that ran out of
# time are is in JOB/registers, and in the console where they still take an NMI.
boot() (
	local k=$1 mode=$2 job=$3 limit=$4 mark line part='' pid deadline why='' began=
	shift 4
	kernel_row "$k"
	# A root for peers takes long to unpack.
	deadline=$((SECONDS + BOOT_LIMIT * SLOW * ${TLOB_PEERS:+3*}1))
	mark=@tlob-$RANDOM$RANDOM
	printf 'MARK=%q KERNEL=%q MODE=%q MODE_SHELL= ARGS=(%s)\n' "$mark" "$k" "$mode" "${*@Q}" >"$job/root/tlob/job.env"
	printf 'SLOW=%q TLOB_LONG=%q DURATION=%q SEED=%q\n' "$SLOW" "${TLOB_LONG-}" "${DURATION-}" \
		"${SEED:-$((RANDOM << 15 | RANDOM))}" >>"$job/root/tlob/job.env"
	: >"$job/stream"
	mkfifo "$job"/monitor.{in,out}
	exec {guest}< <(qemu "$k" "$mode" "$job" -chardev "pipe,id=monitor,path=$job/monitor" -mon monitor \
		-serial "file:$job/console" -serial file:/dev/stdout 2>"$job/qemu.log")
	pid=$!
	# shellcheck disable=SC2064 # this pid
	trap "kill -9 $pid 2>/dev/null || :" EXIT
	while ((deadline > SECONDS)) || { why='ran out of time'; break; }; do
		kill -0 $$ 2>/dev/null || { why='was abandoned'; break; }
		IFS= read -r -t 3 -u "$guest" line || {
			[[ $? -gt 128 ]] || break
			part+=$line	# timed out
			continue
		}
		line=$part$line part=
		printf '%s\n' "$line" >>"$job/stream"
		case $line in
		*"$mark "*) ;;
		*) printf '%s\n' "$line"; continue ;;
		esac
		[[ -z ${line%%"$mark "*} ]] || printf '%s\n' "${line%%"$mark "*}"
		line=${line##*"$mark "}
		case $line in
		booted) deadline=$((SECONDS + limit)) ;;
		begin\ *) say "$k $mode: ${line#begin }"; began=$SECONDS ;;
		end\ *) line=${line#end } && echo "${line% *} $((SECONDS - began))" >>"$job/seconds" ;;
		limit\ *) deadline=$((SECONDS + ${line#limit })) ;;
		exit\ *) echo "${line#exit }" >"$job/status"; deadline=$((SECONDS + BOOT_LIMIT * SLOW)) ;;
		done) touch "$job/done" ;;
		esac
	done
	[[ $why != 'ran out of time' ]] || where_it_is "$job"
	kill -9 "$pid" 2>/dev/null || :
	exec {guest}<&-
	sed -i "s/$mark /@tlob /" "$job/stream"
	mkdir -p "$job/out"
	if [[ -e $job/done ]]; then
		tar -xmf "$job/disk" -C "$job/out" || why='left no archive'
	else
		why=${why:-died}
	fi
	rm -f "$job"/{disk,initrd,done,monitor.in,monitor.out}
	[[ -z $why ]] || echo "the guest $why" >"$job/died"
)
