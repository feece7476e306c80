# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# shellcheck disable=SC2034 # others use what is set here
# Distributions to install on: roots made by mmdebstrap with the maintainer
# scripts run, layers of further packages over them, commands in them, and
# virtual machines that boot them.

set -euo pipefail
PACKAGES=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
for part in lib apt fetch testkernel build rootfs boot; do
	# shellcheck source=/dev/null
	. "$PACKAGES/../vm/$part.sh"
done
# shellcheck source=tests/packages/ktap.sh
. "$PACKAGES/ktap.sh"

GUEST_LIMIT=${TLOB_GUEST_LIMIT:-900}	# wall seconds of a boot

# What is on every one of them; dkms brings a compiler. Nothing else is needed
# to install the packages, as no root has a network.
DISTRO_PACKAGES='systemd-sysv udev dbus kmod dkms gcc make libc6-dev initramfs-tools trace-cmd
binutils openssl'

# The stock kernel of SUITE, as in tests/vm/kernels.
stock_kernel() {
	case $1 in
	bullseye) echo 5.10 ;;
	bookworm) echo 6.1 ;;
	trixie) echo 6.12 ;;
	*) die "no distribution '$1'; there are: bullseye bookworm trixie" ;;
	esac
}

# release K: what kernel K calls itself.
release() {
	kernel_row "$1"
	fetch_kernel "$1" >&2
	cat "$KERNEL_DIR/release"
}

# Prints the root of SUITE, with its stock kernel and headers. Nobody changes it.
distro() {
	local suite=$1 release path
	release=$(release "$(stock_kernel "$suite")")
	path=$CACHE/packages/$suite-$release-$(hash_of "$(declare -f distro_make)$DISTRO_PACKAGES")
	mkdir -p "$CACHE/packages"
	once "$path" distro_make "$suite" "$release" >&2
	echo "$path"
}

hash_of() { sha256sum <<<"$1" | cut -c1-8; }

# The initramfs has the modules of the guest's disk, and no others: that is
# quick. What is mounted in the root is gone when the making of it ends, however
# it does: once() removes what is left of an attempt. What documentation and translations packages have is left out, but not
# what is installed later.
distro_make() {
	local suite=$1 release=$2 dir=$3 include
	in_release "$suite" true
	include=$(xargs <<<"$DISTRO_PACKAGES" | tr ' ' ,)
	say "$suite: making a root"
	# shellcheck disable=SC2016 # the hooks expand
	setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child --mount-proc \
		mmdebstrap --quiet --mode=root --variant=minbase --format=directory \
		--include="$include,linux-image-$release,linux-headers-$release" \
		--aptopt='APT::Install-Recommends "false"' --aptopt='APT::Sandbox::User "root"' \
		--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/info/*' \
		--essential-hook='mkdir -p "$1/etc/initramfs-tools/conf.d" "$1/usr/share/initramfs-tools/modules.d"' \
		--essential-hook='echo MODULES=list >"$1/etc/initramfs-tools/conf.d/guest"' \
		--essential-hook='printf "%s\n" virtio_pci virtio_blk ext4 >"$1/usr/share/initramfs-tools/modules.d/guest"' \
		--customize-hook='rm -f "$1"/etc/dpkg/dpkg.cfg.d/99mmdebstrap "$1"/etc/apt/apt.conf.d/99mmdebstrap' \
		--customize-hook='echo guest >"$1/etc/hostname"; passwd --root "$1" --delete root >/dev/null' \
		"$suite" "$dir" - <"$CACHE/apt/$suite/sources.list" >&2
}

# layer SUITE LOWER PACKAGE...: prints LOWER, a root or several joined by
# colons, with a layer over it that has these packages, and what they depend on.
layer() {
	local suite=$1 lower=$2 path
	shift 2
	path=$CACHE/packages/layer-$suite-$(hash_of "$lower $* $(declare -f layer_make in_distro)")
	once "$path" layer_make "$suite" "$lower" "$*" >&2
	echo "$path/upper:$lower"
}

layer_make() {
	local suite=$1 lower=$2
	say "$suite: adding $3"
	# shellcheck disable=SC2086 # a list
	download "$suite" "$lower" "$4/upper/debs" $3
	in_distro "$lower" "$4/upper" "$INSTALL" >"$4/log" 2>&1 ||
		{ tail -n 40 "$4/log" >&2; die "$suite: cannot add $3"; }
	rm -rf "$4/upper.work"
}

# What installs the packages in /debs.
INSTALL='apt-get -qq -y --no-install-recommends install /debs/*.deb; rm -r /debs'

# download SUITE LOWER DIR PACKAGE...: the packages, and what they depend on
# that LOWER does not have.
download() {
	local suite=$1 status dir=$3
	status=$(top "$2" var/lib/dpkg/status)
	shift 3
	mkdir -p "$dir/partial"
	in_release "$suite" apt-get -qq -o Dir::State::status="$status" -o Dir::Cache::archives="$dir" \
		install --download-only "$@" >&2
	rm -rf "$dir"/{partial,lock}
}

# top LOWER FILE...: where the first FILE that there is is in the uppermost layer
# that has it.
top() {
	local dir layers=${1//:/$'\n'} file
	shift
	for file; do
		while read -r dir; do
			[[ ! -e $dir/$file ]] || { echo "$dir/$file"; return; }
		done <<<"$layers"
	done
	die "no layer has $1"
}

# in_distro LOWER UPPER SCRIPT ARG...: SCRIPT for bash in LOWER, changes going
# to UPPER, without a network and without anything of the host but /dev/null and
# the like. Mounts and processes end with it.
in_distro() {
	local lower=$1 upper=$2
	shift 2
	mkdir -p "$upper" "$upper.work"
	# shellcheck disable=SC2016 # the inner shells expand
	setpriv --pdeathsig KILL unshare --mount --pid --net --fork --kill-child bash -euc '
		lower=$1 upper=$2 script=$3
		shift 3
		root=/mnt
		mount -t overlay -o "lowerdir=$lower,upperdir=$upper,workdir=$upper.work" overlay "$root"
		mount -t proc proc "$root/proc"
		mount -t tmpfs tmpfs "$root/tmp"
		mount -t tmpfs tmpfs "$root/run"
		mount -t tmpfs -o mode=755 tmpfs "$root/dev"
		mkdir "$root/dev/shm" "$root/dev/pts"
		for node in "null 3" "zero 5" "full 7" "random 8" "urandom 9"; do
			mknod -m 666 "$root/dev/${node% *}" c 1 "${node#* }"
		done
		ln -s /proc/self/fd "$root/dev/fd"
		env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C \
			DEBIAN_FRONTEND=noninteractive chroot "$root" bash -euo pipefail -c "$script" - "$@"' \
		- "$lower" "$upper" "$@" </dev/null
}

# Paths in the root of whoever calls, with type, mode, owner and size, of all
# that packages may change; not what apt, dpkg and systemd write for themselves.
# shellcheck disable=SC2016 # the inner shell expands
LISTING='listing() {
	find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /run -o -path /tmp -o -path /job \
		-o -path /var/log -o -path /var/cache -o -path /var/tmp -o -path /var/backups -o -path /var/lib/apt \
		-o -path /var/lib/dpkg -o -path /var/lib/rpm -o -path /var/lib/systemd -o -path /var/lib/private -o -path /lost+found -o -path "/var/lib/dkms/mok.*" \) -prune \
		-o -name __pycache__ -prune -o -type d -printf "%y %m %U:%G %p\n" -o -printf "%y %m %U:%G %s %p %l\n" |
	grep -vE " /(etc/(systemd/system/(multi-user\.target\.wants/)?job\.service|machine-id|\.updated|\.pwd\.lock|ld\.so\.cache|mtab)|var/\.updated|var/lib/dkms/dkms_dbversion)( |$)" |
	LC_ALL=C sort
}'

# dkms_root SUITE: prints the layers of a root that builds modules with the dkms
# of SUITE, files only, for the kernel that kernel_row has read.
dkms_root() {
	local suite=$1 build tools
	build=$CACHE/root/$suite-$(declare -f build_root sparse_release | sha256sum | cut -c1-8)
	once "$build" build_root "$suite" >&2
	tools=$CACHE/packages/dkms-$suite-$(hash_of "$(declare -f dkms_tools)")
	once "$tools" dkms_tools "$suite" >&2
	echo "$tools:$build:$KERNEL_DIR/headers"
}

dkms_tools() {
	say "$1: getting dkms"
	unpack "$1" "$2" dkms! patch! openssl! >&2
}

# job_here: a place for one test, gone when the shell that asks for it ends.
job_here() {
	mkdir -p "$CACHE/job"
	mktemp -d "$CACHE/job/packages.XXXXXX"
}

# disk LOWER UPPER FILE: what in_distro sees as an image of a file system.
disk() {
	truncate -s 4G "$3"
	# shellcheck disable=SC2016 # the inner shell expands
	unshare --mount bash -euc '
		mount -t overlay -o "lowerdir=$1,upperdir=$2,workdir=$2.work" overlay /mnt
		mke2fs -q -t ext4 -O ^has_journal -L root -d /mnt "$3"' - "$1" "$2" "$3"
}

# boot_distro JOB LOWER RELEASE APPEND [OPTION...]: boots kernel RELEASE of what LOWER and
# JOB/upper make, with the script /job/run as a service. What that says is in
# JOB/out, the console in JOB/console. Time is the number of instructions, as in
# mode up of tests/vm.
boot_distro() {
	local job=$1 lower=$2 release=$3 append=$4 kernel=vmlinux
	shift 4
	# Firmware starts what is made to be started by it.
	[[ $# -eq 0 ]] || kernel=vmlinuz
	cp "$(top "$job/upper:$lower" "boot/initrd.img-$release")" "$job/initrd.img"
	# 7.x has it beside its modules.
	cp "$(top "$job/upper:$lower" "boot/vmlinuz-$release" "usr/lib/modules/$release/vmlinuz")" "$job/vmlinuz"
	vmlinux "$job/vmlinuz" >"$job/vmlinux"
	mkdir -p "$job/upper/etc/systemd/system/multi-user.target.wants"
	cat >"$job/upper/etc/systemd/system/job.service" <<-'EOF'
	[Unit]
	After=multi-user.target
	[Service]
	Type=simple
	ExecStart=/bin/bash -c 'bash /job/run >/dev/ttyS1 2>&1; systemctl --force --force poweroff'
	EOF
	ln -sf ../job.service "$job/upper/etc/systemd/system/multi-user.target.wants/job.service"
	# What an earlier boot left is there in the next.
	[[ -e $job/disk ]] || disk "$lower" "$job/upper" "$job/disk"
	rm -f "$job"/{out,console,dmesg}
	say "booting $release"
	run_qemu "$job" "$@" -m 1G -kernel "$job/$kernel" -initrd "$job/initrd.img" \
		-append "root=/dev/vda rw console=ttyS0 panic=-1 oops=panic loglevel=6 log_buf_len=4M nokaslr mitigations=off no_timer_check tsc=reliable audit=0 ipv6.disable=1 random.trust_cpu=on cryptomgr.notests net.ifnames=0 $append"
}

run_qemu() {
	local job=$1 root lib rc=0
	shift
	root=$(emulator)
	lib=$root/usr/lib/x86_64-linux-gnu
	: >"$job/out"
	QEMU_MODULE_DIR=$lib/qemu timeout -k 5 "$GUEST_LIMIT" setpriv --pdeathsig KILL \
		"$root/lib64/ld-linux-x86-64.so.2" --library-path "$lib" \
		"$root/usr/bin/qemu-system-x86_64" -L "$root/usr/share/qemu" -L "$root/usr/share/seabios" \
		-M pc -accel tcg,thread=single -icount shift=0,sleep=off -rtc clock=vm -smp 1 -cpu max \
		-nodefaults -display none -no-reboot -net none -monitor none \
		-drive "file=$job/disk,if=virtio,format=raw,cache=unsafe" \
		-serial "file:$job/console" -serial "file:$job/out" "$@" >&2 </dev/null || rc=$?
	sed -i 's/\r$//' "$job/out"
	[[ $rc -ne 124 && $rc -ne 137 ]] || echo '@time' >>"$job/out"
}

# results JOB RELEASE: of a guest, after its boot: its KTAP, then what its
# console and its log must not have. The lines of the log begin with "@log ".
results() {
	local job=$1 line found rc=0
	while IFS= read -r line; do
		case $line in
		ok\ [0-9]*) KTAP_N=$((KTAP_N + 1)); line=${line#ok }; echo "ok $KTAP_N ${line#* }" ;;
		not\ ok\ [0-9]*) KTAP_N=$((KTAP_N + 1)) KTAP_FAILED=1; line=${line#not ok }; echo "not ok $KTAP_N ${line#* }" ;;
		@log\ *) printf '%s\n' "${line#@log }" >>"$job/dmesg" ;;
		@*) ;;
		*) echo "# ${line#\# }" ;;
		esac
	done <"$job/out"
	if grep -qx @end "$job/out"; then
		ok 'the guest came to its end'
	else
		not_ok 'the guest came to its end' "$(grep -x '@time' "$job/out" >/dev/null && echo 'it ran out of time')" "$(tail -n 20 "$job/console")"
		return
	fi
	is 'the whole kernel log is there' 1 "$(grep -c 'Linux version' "$job/dmesg")"
	found=$("$HERE/scan" "$2" "$job/console" "$job/dmesg") || rc=$?
	is 'the kernel has nothing to complain of' '0 ' "$rc $found"
}
