// SPDX-License-Identifier: GPL-2.0-only
/*
 * cost - what an operation costs, in tenths of a nanosecond
 *
 *   cost [-w | -i] switch N	a context switch: two SCHED_FIFO processes that yield
 *   cost [-w] wake N	a round trip of two that wake one another by a futex
 *   cost KIND N	a call of each of two functions that begin with KIND:
 *			push nop nop5 nop10 endbr; or return: one that returns
 *   cost ioctl N	a start and a stop by /dev/tlob, with a budget of 1 s
 *   cost badioctl N	two ioctls that it does not know
 *   cost gap N		the longest time that a loop of 500 us was interrupted
 *			for, in a window of the functions push: the median of N
 *
 * -w: both are in a window, of the functions push. -i: both were in one before.
 * -2: two processes at once, on CPU 0 and on CPU 1, of KIND, ioctl and badioctl; both
 * go on until the other is done, too; the time that the mean of their speeds gives.
 * Prints "tenths=T". Where time counts instructions, T / 10 is how many.
 */
#include "common.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../include/uapi/linux/tlob.h"

#define WARM_UP	500

/* @first is the instruction that a probe is placed on. */
#define PROBED(name, first, last)					\
	void name(void);						\
	asm(".text\n\t.balign 64\n\t.globl " #name "\n\t"		\
	    ".type " #name ", @function\n" #name ":\n\t"		\
	    first "\n\t" last "\n\tret\n\t.size " #name ", .-" #name)

PROBED(push_start, "push %rbp", "pop %rbp");
PROBED(push_stop, "push %rbp", "pop %rbp");
PROBED(nop_start, "nop", "nop");
PROBED(nop_stop, "nop", "nop");
PROBED(nop5_start, ".byte 0x0f, 0x1f, 0x44, 0, 0", "nop");
PROBED(nop5_stop, ".byte 0x0f, 0x1f, 0x44, 0, 0", "nop");
PROBED(nop10_start, ".byte 0x66, 0x2e, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0", "nop");
PROBED(nop10_stop, ".byte 0x66, 0x2e, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0", "nop");
PROBED(endbr_start, "endbr64", "nop");
PROBED(endbr_stop, "endbr64", "nop");
PROBED(return_start, "push %rbp", "pop %rbp");

static void nothing(void)
{
}

static const struct {
	const char *name;
	void (*start)(void), (*stop)(void);
} kinds[] = {
	{ "push", push_start, push_stop },
	{ "nop", nop_start, nop_stop },
	{ "nop5", nop5_start, nop5_stop },
	{ "nop10", nop10_start, nop10_stop },
	{ "endbr", endbr_start, endbr_stop },
	{ "return", return_start, nothing },
};

static int in_window, had_window, two, second;

/* Of two at once: how many have begun, and ended, and how long each took. */
static struct together {
	atomic_int begun, ended;
	uint64_t ns[2];
} *together;

static void print_tenths(uint64_t ns, uint64_t n)
{
	printf("tenths=%llu\n", (unsigned long long)(10 * ns / n));
}

static void enter(void)
{
	if (in_window || had_window)
		push_start();
	if (had_window)
		push_stop();
}

static void leave(void)
{
	if (in_window)
		push_stop();
}

/* Two at once begin at the same time, */
static void meet(void)
{
	if (!two)
		return;
	atomic_fetch_add(&together->begun, 1);
	while (atomic_load(&together->begun) < 2)
		;
}

/* go on until both have done their part, */
static int other_is_busy(void)
{
	return two && atomic_load(&together->ended) < 2;
}

/* and the last one tells the time at the mean of their speeds. */
static void ended(uint64_t ns, uint64_t n)
{
	const uint64_t *t = together->ns;

	if (!two) {
		print_tenths(ns, n);
		return;
	}
	together->ns[second] = ns;
	if (atomic_fetch_add(&together->ended, 1))
		print_tenths(2.0 * t[0] * t[1] / (t[0] + t[1]), n);
}

static long switches(void)
{
	struct rusage usage;

	if (getrusage(RUSAGE_SELF, &usage))
		die("getrusage");
	return usage.ru_nvcsw + usage.ru_nivcsw;
}

/* What is measured took place. */
static void check_switches(long before, int n)
{
	if (switches() - before < n) {
		fprintf(stderr, "cost: only %ld switches\n", switches() - before);
		exit(1);
	}
}

static void yields(int n)
{
	while (n--)
		sched_yield();
}

static void cost_switch(int n)
{
	uint64_t t;
	long before;
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	/* RV's wwnr watches a task once it slept so that a signal wakes it. */
	poll(NULL, 0, 1);
	enter();
	if (!pid) {
		yields(n + 2 * WARM_UP);
		leave();
		_exit(0);
	}
	yields(WARM_UP);
	before = switches();
	t = now();
	yields(n);
	t = now() - t;
	check_switches(before, n);
	print_tenths(t, 2ull * n);
	leave();
	waitpid(pid, NULL, 0);
}

/* Each in turn: the other's number is awaited, and one's own raised. */
static void take_turns(atomic_int *turn, int me, int n)
{
	while (n--) {
		while (atomic_load(turn) != me)
			syscall(SYS_futex, turn, FUTEX_WAIT, !me, NULL, NULL, 0);
		atomic_store(turn, !me);
		syscall(SYS_futex, turn, FUTEX_WAKE, 1, NULL, NULL, 0);
	}
}

static void cost_wake(int n)
{
	atomic_int *turn = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint64_t t;
	long before;
	pid_t pid;

	if (turn == MAP_FAILED)
		die("mmap");
	pid = fork();
	if (pid < 0)
		die("fork");
	enter();
	if (!pid) {
		take_turns(turn, 1, n + WARM_UP);
		leave();
		_exit(0);
	}
	take_turns(turn, 0, WARM_UP);
	before = switches();
	t = now();
	take_turns(turn, 0, n);
	t = now() - t;
	check_switches(before, n);
	print_tenths(t, n);
	leave();
	waitpid(pid, NULL, 0);
}

static void cost_pair(unsigned int kind, int n)
{
	uint64_t t;
	int i;

	for (i = 0; i < WARM_UP; i++) {
		kinds[kind].start();
		kinds[kind].stop();
	}
	meet();
	t = now();
	for (i = 0; i < n; i++) {
		kinds[kind].start();
		kinds[kind].stop();
	}
	ended(now() - t, n);
	while (other_is_busy()) {
		kinds[kind].start();
		kinds[kind].stop();
	}
}

static void cost_ioctl(int n, int known)
{
	struct tlob_start_args args = { .threshold_ns = 1000000000 };
	unsigned long start = known ? TLOB_IOCTL_TRACE_START : _IO(0xb9, 100);
	unsigned long stop = known ? TLOB_IOCTL_TRACE_STOP : _IO(0xb9, 101);
	int fd = open("/dev/tlob", O_RDWR), i, bad = 0;
	uint64_t t = 0;

	if (fd < 0)
		die("/dev/tlob");
	for (i = -WARM_UP; i < n; i++) {
		if (!i) {
			meet();
			t = now();
		}
		bad += !!ioctl(fd, start, &args);
		bad += !!ioctl(fd, stop);
	}
	ended(now() - t, n);
	if (bad != (known ? 0 : 2 * (n + WARM_UP)))
		die("ioctl");
	while (other_is_busy()) {
		ioctl(fd, start, &args);
		ioctl(fd, stop);
	}
}

static uint64_t longest_gap(void)
{
	uint64_t last, t, end, longest = 0;

	push_start();
	last = now();
	end = last + 500000;
	while (last < end) {
		t = now();
		if (t - last > longest)
			longest = t - last;
		last = t;
	}
	push_stop();
	return longest;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void cost_gap(int n)
{
	uint64_t *gaps = calloc(n, sizeof(*gaps));
	int i;

	if (!gaps)
		die("calloc");
	for (i = 0; i < n; i++)
		gaps[i] = longest_gap();
	qsort(gaps, n, sizeof(*gaps), compare);
	print_tenths(gaps[n / 2], 1);
	free(gaps);
}

static int usage(void)
{
	fprintf(stderr, "usage: cost [-w | -i | -2] WHAT N\n");
	return 2;
}

int main(int argc, char **argv)
{
	const char *what;
	unsigned int kind;
	pid_t pid = 0;
	int opt, n, status;

	while ((opt = getopt(argc, argv, "wi2")) >= 0) {
		switch (opt) {
		case 'w':
			in_window = 1;
			break;
		case 'i':
			had_window = 1;
			break;
		case '2':
			two = 1;
			break;
		default:
			return usage();
		}
	}
	if (argc - optind != 2)
		return usage();
	what = argv[optind];
	n = atoi(argv[optind + 1]);
	together = mmap(NULL, sizeof(*together), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (together == MAP_FAILED)
		die("mmap");
	if (two) {
		pid = fork();
		if (pid < 0)
			die("fork");
		alarm(600);	/* one may wait for the other in vain */
		second = !pid;
		set_cpu(second);
	} else {
		set_cpu(0);
	}
	set_fifo(50);
	if (!strcmp(what, "switch")) {
		cost_switch(n);
	} else if (!strcmp(what, "wake")) {
		cost_wake(n);
	} else if (!strcmp(what, "ioctl") || !strcmp(what, "badioctl")) {
		cost_ioctl(n, *what == 'i');
	} else if (!strcmp(what, "gap")) {
		cost_gap(n);
	} else {
		for (kind = 0; kind < sizeof(kinds) / sizeof(kinds[0]); kind++)
			if (!strcmp(what, kinds[kind].name))
				break;
		if (kind == sizeof(kinds) / sizeof(kinds[0]))
			return usage();
		cost_pair(kind, n);
	}
	if (pid > 0 && (waitpid(pid, &status, 0) < 0 || status))
		die("the other process");
	return 0;
}
