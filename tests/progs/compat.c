// SPDX-License-Identifier: GPL-2.0-only
/* cflags: -m32 -nostdlib -static -no-pie -fno-pie -ffreestanding -fno-stack-protector -isystem /usr/include/x86_64-linux-gnu */
/*
 * compat - an i386 program that uses /dev/tlob
 *
 * It has no libc, so that none of 32 bits is needed. Prints what came back, all
 * numbers in hex: two windows, one over its budget, one not.
 */
#include "../../include/uapi/linux/tlob.h"

#define NR_exit		1
#define NR_read		3
#define NR_write	4
#define NR_open		5
#define NR_ioctl	54
#define NR_nanosleep	162
#define NR_poll		168
#define NR_gettid	224
#define O_RDWR		2
#define POLLIN		1

struct pollfd32 {
	int fd;
	short events, revents;
};

struct timespec32 {
	int sec, nsec;
};

static long call(long nr, long a, long b, long c)
{
	long ret;

	asm volatile("int $0x80" : "=a" (ret)
		     : "0" (nr), "b" (a), "c" (b), "d" (c) : "memory");
	return ret;
}

static void put(const char *s)
{
	long n = 0;

	while (s[n])
		n++;
	call(NR_write, 1, (long)s, n);
}

static void hex(const char *name, unsigned long long v)
{
	char buf[20] = "0x0000000000000000\n";
	int i;

	for (i = 17; i > 1; i--, v >>= 4)
		buf[i] = "0123456789abcdef"[v & 15];
	put(name);
	put("=");
	call(NR_write, 1, (long)buf, 19);
}

static void nap(int ms)
{
	struct timespec32 ts = { 0, ms * 1000000 };

	call(NR_nanosleep, (long)&ts, 0, 0);
}

static void window(int fd, unsigned long long ns, unsigned long long tag, int ms)
{
	struct tlob_start_args args = { .threshold_ns = ns, .tag = tag };
	struct tlob_stop_info info = { 0 };

	hex("start", call(NR_ioctl, fd, TLOB_IOCTL_TRACE_START, (long)&args));
	nap(ms);
	hex("info", call(NR_ioctl, fd, TLOB_IOCTL_TRACE_STOP_INFO, (long)&info));
	hex("elapsed_ns", info.elapsed_ns);
	hex("running_ns", info.running_ns);
	hex("waiting_ns", info.waiting_ns);
	hex("sleeping_ns", info.sleeping_ns);
}

void _start(void)
{
	struct pollfd32 p = { .events = POLLIN };
	struct tlob_event e[2];
	int fd = call(NR_open, (long)"/dev/tlob", O_RDWR, 0);

	if (fd < 0) {
		hex("open", fd);
		call(NR_exit, 1, 0, 0);
	}
	hex("sizes", sizeof(struct tlob_start_args) << 16 |
		     sizeof(struct tlob_stop_info) << 8 | sizeof(struct tlob_event));
	/* More than 32 bits in both: an hour, and a tag */
	window(fd, 3600000000000ull, 0x1122334455667788ull, 2);
	window(fd, 5000000, 0xfedcba9876543210ull, 20);
	p.fd = fd;
	hex("poll", call(NR_poll, (long)&p, 1, 0));
	hex("revents", p.revents);
	hex("read", call(NR_read, fd, (long)e, sizeof(e)));
	hex("own_tid", call(NR_gettid, 0, 0, 0));
	hex("tid", e[0].tid);
	hex("flags", e[0].flags);
	hex("tag", e[0].tag);
	hex("threshold_ns", e[0].threshold_ns);
	hex("event_elapsed_ns", e[0].elapsed_ns);
	hex("event_sum_ns", e[0].running_ns + e[0].waiting_ns + e[0].sleeping_ns);
	hex("stop", call(NR_ioctl, fd, TLOB_IOCTL_TRACE_STOP, 0));
	call(NR_exit, 0, 0, 0);
}
