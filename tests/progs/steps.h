/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Programs that are driven by their arguments: each is a step, or opens a block
 * of steps in braces. What they do in common:
 *
 *   busy:US sleep:US yield:N               use the CPU, nanosleep, yield
 *   loop:N { ... }
 *   thread { ... } threads:N { ... } join
 *   gone                                   until nothing is left of the threads:
 *                                          they are joined before they have exited
 *   hold settle:N release                  threads park until released
 *   here                                   to settle, like hold, but goes on
 *   fork { ... } reap                      reap prints each child's end
 *   exec:PATH exit:N
 *   name:COMM cpu:N fifo:PRIO
 *   ready wait                             say so on stdout; one byte of stdin
 */
#ifndef STEPS_H
#define STEPS_H

#include "common.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_THREADS	4096
#define THREAD_STACK	(128 * 1024)

static char **tokens;
static pthread_t threads[MAX_THREADS];
static unsigned int nr_threads;
static atomic_int parked, released;

/* Of the program: carries out tokens @from to @to - 1. */
static void run(int from, int to);

static void futex_wait(atomic_int *word, int val)
{
	syscall(SYS_futex, word, FUTEX_WAIT, val, NULL, NULL, 0);
}

static void futex_wake(atomic_int *word)
{
	syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

struct block {
	int from, to;
};

static void *block_thread(void *arg)
{
	struct block *b = arg;

	run(b->from, b->to);
	free(b);
	return NULL;
}

static void spawn(int from, int to)
{
	struct block *b = malloc(sizeof(*b));
	pthread_attr_t attr;

	if (!b || nr_threads == MAX_THREADS)
		die("spawn");
	b->from = from;
	b->to = to;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, THREAD_STACK);
	errno = pthread_create(&threads[nr_threads++], &attr, block_thread, b);
	if (errno)
		die("pthread_create");
}

static void hold(void)
{
	atomic_fetch_add(&parked, 1);
	while (!atomic_load(&released))
		futex_wait(&released, 0);
}

/* The links of this directory are itself, its parent and one per thread. */
static void wait_until_gone(void)
{
	struct stat st;

	while (!stat("/proc/self/task", &st) && st.st_nlink > 3)
		snooze(100);
	if (st.st_nlink != 3)
		die("/proc/self/task");
}

static void reap(void)
{
	int status;

	while (waitpid(-1, &status, 0) > 0) {
		if (WIFSIGNALED(status))
			printf("child signal=%d\n", WTERMSIG(status));
		else
			printf("child exit=%d\n", WEXITSTATUS(status));
	}
	fflush(stdout);
}

/* The index of the brace that closes the one at @open. */
static int block_end(int open, int to)
{
	int depth = 0, i;

	for (i = open; i < to; i++) {
		if (!strcmp(tokens[i], "{"))
			depth++;
		else if (!strcmp(tokens[i], "}") && !--depth)
			return i;
	}
	fprintf(stderr, "no block at step %d\n", open);
	exit(2);
}

static void unknown_step(const char *word)
{
	fprintf(stderr, "unknown step %s\n", word);
	exit(2);
}

#define is(s) (!strcmp(word, s))

/* The step @word:@arg. Returns -1 if it is none of those in common. */
static int common_step(const char *word, const char *arg)
{
	long n = arg ? atol(arg) : 0;
	char c;

	if (is("busy")) {
		busy(n);
	} else if (is("sleep")) {
		snooze(n);
	} else if (is("yield")) {
		while (n--)
			sched_yield();
	} else if (is("join")) {
		while (nr_threads)
			pthread_join(threads[--nr_threads], NULL);
	} else if (is("gone")) {
		wait_until_gone();
	} else if (is("hold")) {
		hold();
	} else if (is("here")) {
		atomic_fetch_add(&parked, 1);
	} else if (is("settle")) {
		while (atomic_load(&parked) < n)
			snooze(1000);
	} else if (is("release")) {
		atomic_store(&released, 1);
		futex_wake(&released);
	} else if (is("reap")) {
		reap();
	} else if (is("exec")) {
		execl(arg, arg, (char *)NULL);
		die("execl");
	} else if (is("exit")) {
		_exit(n);
	} else if (is("name")) {
		prctl(PR_SET_NAME, arg);
	} else if (is("cpu")) {
		set_cpu(n);
	} else if (is("fifo")) {
		set_fifo(n);
	} else if (is("ready")) {
		if (write(1, "ready\n", 6) != 6)
			die("write");
	} else if (is("wait")) {
		if (read(0, &c, 1) != 1)
			die("stdin");
	} else {
		return -1;
	}
	return 0;
}

/* The same of a block: @word:@arg { @from to @to - 1 } */
static int common_block(const char *word, const char *arg, int from, int to)
{
	long n = arg ? atol(arg) : 1;
	pid_t pid;

	if (is("loop")) {
		while (n--)
			run(from, to);
	} else if (is("thread") || is("threads")) {
		while (n--)
			spawn(from, to);
	} else if (is("fork")) {
		pid = fork();
		if (pid < 0)
			die("fork");
		if (!pid) {
			run(from, to);
			_exit(0);
		}
	} else {
		return -1;
	}
	return 0;
}

#endif /* STEPS_H */
