// SPDX-License-Identifier: GPL-2.0-only
/*
 * millions - a known number of windows, as fast as they go
 *
 * millions [-n THREADS] [-e EVERY] probes|dev COUNT
 *
 * COUNT windows in all by the functions mil_start() and mil_stop(), or of
 * /dev/tlob. One of EVERY is over its budget: with probes it is one of
 * mil_over_start() and mil_over_stop(), which takes 30 us; with /dev/tlob its
 * own budget is 1 us. All others are never over. Prints how many there were
 * of each.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../../include/uapi/linux/tlob.h"
#include "common.h"

probed void mil_start(void)
{
	asm volatile("nop" ::: "memory");
}

probed void mil_stop(void)
{
	asm volatile("nop\n\tnop" ::: "memory");
}

probed void mil_over_start(void)
{
	asm volatile("nop\n\tnop\n\tnop" ::: "memory");
}

probed void mil_over_stop(void)
{
	asm volatile("nop\n\tnop\n\tnop\n\tnop" ::: "memory");
}

#define MAX_THREADS	64
#define HOUR		3600000000000ull

static unsigned long every = 1000, share, rest;
static int by_dev, fd = -1;
static atomic_ulong in_budget, over, refused;

static void by_probes(int is_over)
{
	if (is_over) {
		mil_over_start();
		busy(30);
		mil_over_stop();
	} else {
		mil_start();
		mil_stop();
	}
}

/* Whether it was all as it had to be */
static int by_ioctl(unsigned long n, int is_over)
{
	struct tlob_start_args args = {
		.threshold_ns = is_over ? 1000 : HOUR, .tag = n,
	};
	int ret;

	if (ioctl(fd, TLOB_IOCTL_TRACE_START, &args))
		return 0;
	if (is_over)
		busy(30);
	ret = ioctl(fd, TLOB_IOCTL_TRACE_STOP);
	return is_over ? ret < 0 && errno == EOVERFLOW : !ret;
}

static void *go(void *arg)
{
	unsigned long n, count = share + (arg ? 0 : rest), nr_over = 0, bad = 0;

	for (n = 1; n <= count; n++) {
		int is_over = !(n % every);

		nr_over += is_over;
		if (!by_dev)
			by_probes(is_over);
		else
			bad += !by_ioctl(n, is_over);
	}
	atomic_fetch_add(&over, nr_over);
	atomic_fetch_add(&in_budget, count - nr_over);
	atomic_fetch_add(&refused, bad);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t threads[MAX_THREADS];
	unsigned long nr = 2, i, count;
	int opt;

	while ((opt = getopt(argc, argv, "n:e:")) != -1) {
		switch (opt) {
		case 'n':
			nr = atol(optarg);
			break;
		case 'e':
			every = atol(optarg);
			break;
		default:
			return 2;
		}
	}
	if (argc - optind != 2 || !nr || nr > MAX_THREADS || !every)
		return 2;
	by_dev = !strcmp(argv[optind], "dev");
	count = strtoul(argv[optind + 1], NULL, 0);
	if (by_dev) {
		fd = open("/dev/tlob", O_RDWR);
		if (fd < 0)
			die("/dev/tlob");
	}
	share = count / nr;
	rest = count % nr;
	for (i = 0; i < nr; i++)
		if (pthread_create(&threads[i], NULL, go, (void *)i))
			die("pthread_create");
	for (i = 0; i < nr; i++)
		pthread_join(threads[i], NULL);
	printf("result in_budget=%lu over=%lu refused=%lu\n", in_budget, over,
	       refused);
	return 0;
}
