// SPDX-License-Identifier: GPL-2.0-only
/*
 * blame - a worker that is late, and who is to blame for it
 *
 * blame SCENARIO: one window of a worker, of about 30 ms; prints the tids of
 * all threads. Threads are named worker, hog, rouser.
 *
 *   alone       runs; nobody is to blame
 *   starved     preempted by the hog, a SCHED_FIFO thread
 *   rejoined    starved, and then a window alone
 *   late        sleeps until the rouser wakes it, late
 *   pipe        the same by a pipe
 *   timer       sleeps 1 ms, then runs
 *   queued      woken by the hog, which then keeps the CPU
 *   behind      woken by the rouser while the hog keeps the CPU
 */
#define _GNU_SOURCE
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common.h"

#define LATE_US	30000

probed void blame_start(void)
{
	asm volatile("nop" ::: "memory");
}

probed void blame_stop(void)
{
	asm volatile("nop\n\tnop" ::: "memory");
}

static const char *scenario;
static atomic_int helpers, go_hog, go_rouser, hogging, go_worker;
static int channel[2];

static int is(const char *name)
{
	return !strcmp(scenario, name);
}

static void await(atomic_int *word)
{
	while (!atomic_load(word))
		syscall(SYS_futex, word, FUTEX_WAIT, 0, NULL, NULL, 0);
}

static void set_off(atomic_int *word)
{
	atomic_store(word, 1);
	syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void be(const char *name, int cpu, int prio)
{
	struct sched_param param = { .sched_priority = prio };
	cpu_set_t set;

	prctl(PR_SET_NAME, name);
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) ||
	    (prio && sched_setscheduler(0, SCHED_FIFO, &param))) {
		perror(name);
		exit(2);
	}
	printf("%s=%ld\n", name, syscall(SYS_gettid));
	fflush(stdout);
}

static void *hog(void *arg)
{
	be("hog", 0, 50);
	atomic_fetch_add(&helpers, 1);
	await(&go_hog);
	atomic_store(&hogging, 1);
	if (is("queued"))
		set_off(&go_worker);
	busy(LATE_US);
	return arg;
}

static void *rouser(void *arg)
{
	/* The last CPU, if there is another one. */
	be("rouser", sysconf(_SC_NPROCESSORS_ONLN) - 1, 60);
	atomic_fetch_add(&helpers, 1);
	await(&go_rouser);
	if (is("behind")) {
		/* The worker is asleep, and the hog has its CPU. */
		snooze(2000);
		set_off(&go_hog);
		while (!atomic_load(&hogging))
			snooze(500);
		snooze(1000);
		set_off(&go_worker);
	} else if (is("queued")) {
		snooze(1000);
		set_off(&go_hog);
	} else {
		snooze(LATE_US);
		if (is("pipe")) {
			if (write(channel[1], "x", 1) != 1)
				exit(2);
		} else {
			set_off(&go_worker);
		}
	}
	return arg;
}

int main(int argc, char **argv)
{
	pthread_t t;
	char c;

	if (argc != 2 || pipe(channel))
		return 2;
	scenario = argv[1];
	pthread_create(&t, NULL, hog, NULL);
	pthread_create(&t, NULL, rouser, NULL);
	/* On RT only a real-time task's sleep ends in the interrupt itself. */
	be("worker", 0, is("timer") || is("alone") ? 70 : 0);
	while (atomic_load(&helpers) < 2)
		snooze(1000);
	snooze(5000);		/* the others have reached their wait */

	blame_start();
	if (is("alone")) {
		busy(LATE_US);
	} else if (is("starved") || is("rejoined")) {
		set_off(&go_hog);
	} else if (is("late") || is("queued") || is("behind")) {
		set_off(&go_rouser);
		await(&go_worker);
	} else if (is("pipe")) {
		set_off(&go_rouser);
		if (read(channel[0], &c, 1) != 1)
			return 2;
	} else if (is("timer")) {
		snooze(1000);
		busy(LATE_US);
	} else {
		return 2;
	}
	blame_stop();
	if (is("rejoined")) {
		be("worker", 0, 70);
		blame_start();
		busy(LATE_US);
		blame_stop();
	}
	return 0;
}
