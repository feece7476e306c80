// SPDX-License-Identifier: GPL-2.0-only
/*
 * The counters, after windows that ended in every way.
 */
#include <linux/delay.h>

#include "tlob_kunit.h"

static const struct tlob_kunit_ops *ops = &tlob_kunit_ops;

#define ROUNDS	5

static int start(struct tlob_source *src, u64 budget)
{
	return ops->window_start(current, src, budget, 0, 0);
}

static void open_one(struct tlob_worker *w)
{
	start(w->arg, TLOB_HOUR);
}

/* As the probe of execve() does */
static void open_and_exec(struct tlob_worker *w)
{
	start(w->arg, TLOB_HOUR);
	ops->windows_end_task(current, TLOB_EXECED);
}

/* The probe of exit() runs after a kthread can be waited for. */
static void await_count(struct kunit *test, const struct tlob_source *src,
			enum tlob_counter counter, u64 want)
{
	int i;

	for (i = 0; i < 10000 && tlob_counted(src, counter) < want; i++)
		usleep_range(1000, 2000);
	KUNIT_EXPECT_EQ(test, tlob_counted(src, counter), want);
}

static void identity(struct kunit *test)
{
	struct tlob_source *src = tlob_source_create(test, "stats",
						     TLOB_REOPEN_RESTARTS);
	struct tlob_totals totals;
	struct tlob_stats sum;
	u64 shortest = U64_MAX, longest = 0, elapsed = 0;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		struct tlob_worker *w = tlob_worker_create(test, -1);

		/* stopped, in budget */
		KUNIT_EXPECT_EQ(test, start(src, TLOB_HOUR), 0);
		tlob_expect_identity(test, src, 1);
		tlob_spin(1000 * i);
		KUNIT_EXPECT_EQ(test,
				ops->window_stop(current, src, TLOB_STOP_OFFSET,
						 0, &totals), 0);
		shortest = min(shortest, totals.elapsed);
		longest = max(longest, totals.elapsed);
		elapsed += totals.elapsed;

		/* restarted, then stopped over its budget */
		KUNIT_EXPECT_EQ(test, start(src, TLOB_HOUR), 0);
		KUNIT_EXPECT_EQ(test, start(src, 1000), 0);
		tlob_spin(1001);
		KUNIT_EXPECT_EQ(test,
				ops->window_stop(current, src, TLOB_STOP_OFFSET,
						 0, &totals), -EOVERFLOW);
		shortest = min(shortest, totals.elapsed);
		longest = max(longest, totals.elapsed);
		elapsed += totals.elapsed;

		/* execed, and then exited */
		tlob_worker_run(w, open_and_exec, src);
		KUNIT_EXPECT_EQ(test, tlob_counted(src, TLOB_EXECED), i + 1);
		tlob_worker_run(w, open_one, src);
		tlob_expect_identity(test, src, 1);
		tlob_worker_end(w);
		await_count(test, src, TLOB_EXITED, i + 1);

		/* cancelled */
		KUNIT_EXPECT_EQ(test, start(src, TLOB_HOUR), 0);
		ops->windows_end_source(src, TLOB_CANCELLED);
		tlob_expect_identity(test, src, 0);
	}

	ops->stats_sum(src, &sum);
	KUNIT_EXPECT_EQ(test, sum.count[TLOB_STARTED], 6 * ROUNDS);
	KUNIT_EXPECT_EQ(test, sum.count[TLOB_STOPPED], 2 * ROUNDS);
	KUNIT_EXPECT_EQ(test, sum.count[TLOB_RESTARTED], ROUNDS);
	KUNIT_EXPECT_EQ(test, sum.count[TLOB_EXITED], ROUNDS);
	KUNIT_EXPECT_EQ(test, sum.count[TLOB_EXECED], ROUNDS);
	KUNIT_EXPECT_EQ(test, sum.count[TLOB_CANCELLED], ROUNDS);
	KUNIT_EXPECT_EQ(test, sum.count[TLOB_VIOLATIONS], ROUNDS);
	KUNIT_EXPECT_EQ(test, sum.count[TLOB_MISSED_POOL], 0);
	KUNIT_EXPECT_EQ(test, sum.count[TLOB_ANOMALIES], 0);
	KUNIT_EXPECT_EQ(test, sum.min, shortest);
	KUNIT_EXPECT_EQ(test, sum.max, longest);
	KUNIT_EXPECT_EQ(test, sum.sum, elapsed);
	tlob_expect_identity(test, src, 0);
}

static struct kunit_case cases[] = {
	KUNIT_CASE_SLOW(identity),
	{}
};

static struct kunit_suite suite = {
	.name = "tlob_stats",
	.suite_init = tlob_claim,
	.suite_exit = tlob_unclaim,
	.init = tlob_case_init,
	.exit = tlob_case_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
