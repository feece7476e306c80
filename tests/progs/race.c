// SPDX-License-Identifier: GPL-2.0-only
/*
 * race - windows whose stop and whose deadline nearly coincide
 *
 * race [-b] [-s] [-m] STATS BINDING BUDGET_NS COUNT
 *
 * The length steers itself to within microseconds of the budget. After each
 * window its own length and whether it was reported are read from the stats
 * (sum_ns and violations are monotonic), and compared: reported if and only
 * if length >= budget. -s: the window ends in a sleep, not in a loop, and the
 * priority is a real-time one, so that on RT, too, the timer itself wakes. -m:
 * the thread changes its CPU inside each window, so that the timer stays behind.
 * -b: back to back without reading the stats, steered by our own clock: the
 * violations lie between the windows that were over budget inside the marks
 * and those over budget when measured around them.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "common.h"

probed void race_start(void)
{
	asm volatile("nop" ::: "memory");
}

probed void race_stop(void)
{
	asm volatile("nop\n\tnop" ::: "memory");
}

struct stats {
	uint64_t stopped, sum, violations;
};

static const char *stats_path, *binding;
static int burst, sleeping, migrate;

static uint64_t key(const char *line, const char *name)
{
	const char *p = strstr(line, name);

	return p ? strtoull(p + strlen(name), NULL, 10) : 0;
}

static struct stats read_stats(void)
{
	static char buf[65536];
	char want[64], *line, *end;
	struct stats st = { 0 };
	ssize_t n, len = 0;
	int fd = open(stats_path, O_RDONLY);

	if (fd < 0) {
		perror(stats_path);
		exit(2);
	}
	while ((n = read(fd, buf + len, sizeof(buf) - 1 - len)) > 0)
		len += n;
	close(fd);
	buf[len] = '\0';
	snprintf(want, sizeof(want), "binding=%s ", binding);
	line = strstr(buf, want);
	if (!line) {
		fprintf(stderr, "no stats of %s\n", binding);
		exit(2);
	}
	end = strchr(line, '\n');
	if (end)
		*end = '\0';
	st.stopped = key(line, " stopped=");
	st.sum = key(line, " sum_ns=");
	st.violations = key(line, " violations=");
	return st;
}

/* Returns how long the inside of the window took: its length is no less. */
static uint64_t window(long length)
{
	struct timespec ts = { 0, length };
	static int cpu;
	uint64_t t;

	race_start();
	t = now();
	if (migrate)
		set_cpu(cpu ^= 1);
	if (sleeping)
		nanosleep(&ts, NULL);
	else
		while (length-- > 0)
			asm volatile("");
	t = now() - t;
	race_stop();
	return t;
}

int main(int argc, char **argv)
{
	uint64_t budget, t0, inside, outside, elapsed;
	uint64_t low_over = 0, high_over = 0, first;
	unsigned long i, count, over = 0, mismatches = 0, near = 0;
	struct stats before, after;
	long length = 1, scatter, step = 100;
	struct sched_param fifo = { .sched_priority = 10 };
	int opt, retry, was_over = 0;

	while ((opt = getopt(argc, argv, "bsm")) != -1) {
		burst |= opt == 'b';
		sleeping |= opt == 's';
		migrate |= opt == 'm';
	}
	if (optind != argc - 4)
		return 2;
	stats_path = argv[optind];
	binding = argv[optind + 1];
	budget = strtoull(argv[optind + 2], NULL, 0);
	count = strtoul(argv[optind + 3], NULL, 0);
	prctl(PR_SET_TIMERSLACK, 1);
	if (sleeping && sched_setscheduler(0, SCHED_FIFO, &fifo)) {
		perror("SCHED_FIFO");
		return 2;
	}
	srandom(1);

	before = read_stats();
	first = before.violations;
	for (i = 0; i < count; i++) {
		/* In a burst nothing tells where exactly the budget lies: scatter. */
		scatter = burst && i % 4 ? random() % 4000 - 2000 : 0;
		t0 = now();
		inside = window(length + scatter);
		outside = now() - t0;
		if (burst) {
			low_over += inside >= budget;
			high_over += outside >= budget;
			elapsed = (inside + outside) / 2;
		} else {
			for (retry = 0; retry < 5; retry++) {
				after = read_stats();
				elapsed = after.sum - before.sum;
				if (after.stopped == before.stopped + 1 &&
				    (after.violations != before.violations) ==
				    (elapsed >= budget))
					break;
				usleep(2000);
			}
			over += elapsed >= budget;
			if (after.stopped != before.stopped + 1 ||
			    after.violations - before.violations !=
			    (elapsed >= budget)) {
				mismatches++;
				printf("# window %lu: stopped +%llu, violations +%llu, length %llu\n",
				       i, (unsigned long long)(after.stopped - before.stopped),
				       (unsigned long long)(after.violations - before.violations),
				       (unsigned long long)elapsed);
			}
			before = after;
		}
		near += elapsed > budget - 3000 && elapsed < budget + 3000;
		if (scatter)
			continue;
		/* Steps towards the budget grow until they overshoot it. */
		if ((elapsed >= budget) == was_over)
			step = step < 20000 ? step * 2 : step;
		else
			step = 100;
		was_over = elapsed >= budget;
		length += (was_over ? -1 : 1) * (step / 2 + random() % step);
		if (length < 1)
			length = 1;
	}
	usleep(2000);
	printf("windows=%lu over=%lu mismatches=%lu near=%lu low_over=%llu high_over=%llu violations=%llu\n",
	       count, over, mismatches, near, (unsigned long long)low_over,
	       (unsigned long long)high_over,
	       (unsigned long long)(read_stats().violations - first));
	return mismatches != 0;
}
