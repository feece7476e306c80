/* SPDX-License-Identifier: GPL-2.0-only */
/* What the programs share. Times are of CLOCK_MONOTONIC. */
#ifndef COMMON_H
#define COMMON_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* A function that probes find, and that is there as often as it is called */
#define probed __attribute__((noinline, noclone, used))

static inline void die(const char *what)
{
	perror(what);
	exit(2);
}

/* In ns */
static inline uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

/* Use the CPU for so long. */
static inline void busy(uint64_t us)
{
	uint64_t end = now() + us * 1000;

	while (now() < end)
		;
}

static inline void snooze(unsigned int us)
{
	struct timespec ts = { us / 1000000, us % 1000000 * 1000 };

	nanosleep(&ts, NULL);
}

static inline void set_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("sched_setaffinity");
}

static inline void set_fifo(int prio)
{
	struct sched_param param = { .sched_priority = prio };

	if (sched_setscheduler(0, SCHED_FIFO, &param))
		die("sched_setscheduler");
}

#endif /* COMMON_H */
