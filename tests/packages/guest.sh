# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# What jobs in a booted distribution share; it is at /job/guest.sh.

set -uo pipefail
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 HOME=/root DEBIAN_FRONTEND=noninteractive
cd /job || exit
# shellcheck source=tests/packages/ktap.sh
. /job/ktap.sh
# shellcheck source=/dev/null
. /job/env		# RELEASE, VERSION, and the function listing

FILES=/sys/kernel/debug/tlob

# succeeds NAME COMMAND...: its output only if it does not.
succeeds() {
	local name=$1 out
	shift
	if out=$("$@" 2>&1); then
		ok "$name"
	else
		not_ok "$name" "status $?" "$out"
	fi
}

# present PATH: yes or no.
present() { if [[ -e $1 ]]; then echo yes; else echo no; fi; }

# A program that is in section() for as many seconds as it is told, and a binding
# of that, named s.
bind() {
	local offset
	cat >/job/s.c <<-'EOF'
	#include <stdlib.h>
	#include <unistd.h>
	__attribute__((noinline)) void section(unsigned int seconds)
	{
		sleep(seconds);
		asm volatile("" ::: "memory");
	}
	int main(int argc, char **argv)
	{
		section(atoi(argv[1]));
		return 0;
	}
	EOF
	gcc -O1 -fcf-protection=none -o /job/s /job/s.c
	offset=$(/usr/share/doc/tlob-dkms/examples/offset /job/s section)
	echo "p:s /job/s:$offset $offset%return" >$FILES/monitor
}

# A pass through it that has begun; its process is $inside.
enter() {
	/job/s 100000 &
	inside=$!
	for _ in {1..100}; do
		! grep -q "^pid=$inside " $FILES/inflight || return
		sleep 0.1
	done
}

# Modules that come while the machine still boots are not ours to be judged by.
booted() {
	udevadm settle
	systemctl is-system-running --wait >/tmp/state 2>&1
	echo "# the system is $(</tmp/state)"
	is 'systemd is the first process' systemd "$(</proc/1/comm)"
	is 'the kernel is the one that was installed' "$RELEASE" "$(uname -r)"
	is 'nothing loads the module' no "$(present /sys/module/tlob)"
}

# Nothing of the module is left in the kernel.
unloaded() {
	is "$1: the module" no "$(present /sys/module/tlob)"
	is "$1: /dev/tlob" no "$(present /dev/tlob)"
	is "$1: the control files" no "$(present $FILES)"
	is "$1: trace events" 0 "$(grep -c 'rv:.*tlob' /sys/kernel/tracing/available_events)"
	is "$1: symbols" 0 "$(grep -c '\[tlob\]' /proc/kallsyms)"
}

# The end of a job: that nothing of the files differs from /job/before.
unchanged() {
	listing >/job/after
	is "$1: the file system" '' "$(diff /job/before /job/after)"
	is "$1: what names it in /etc, /usr and /var" '' \
		"$(find /etc /usr /var -xdev \( -path /var/log -o -path /var/cache \) -prune -o -name '*tlob*' -print)"
	is "$1: dkms" '' "$(dkms status)"
	is "$1: dpkg" '' "$(dpkg-query -W '*tlob*' 2>/dev/null)"
}

# Always the last.
finish() {
	# Out-of-tree and unsigned, or signed with an unknown key
	is 'the kernel is tainted by no more than a module from elsewhere' 0 $(($(</proc/sys/kernel/tainted) & ~0x3000))
	dmesg | sed 's/^/@log /'
	echo @end
	sync
}
