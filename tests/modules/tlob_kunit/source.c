// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sources of windows, and what was counted of them.
 */
#include <linux/ktime.h>
#include <linux/slab.h>

#include "tlob_kunit.h"

static const struct tlob_kunit_ops *ops = &tlob_kunit_ops;

static void destroy(void *arg)
{
	struct tlob_source *src = arg;

	if (tlob_claimed()) {
		ops->windows_end_source(src, TLOB_CANCELLED);
		/* Pairs with the RCU read side that reports a window of it. */
		synchronize_rcu();
	}
	ops->stats_free(src);
	kfree(src);
}

/**
 * tlob_source_create - a source of windows, as long as the case
 * @test: the case
 * @label: its name
 * @reopen: what a start does that finds its window open
 *
 * Return: the source.
 */
struct tlob_source *tlob_source_create(struct kunit *test, const char *label,
				       enum tlob_reopen reopen)
{
	struct tlob_source *src = kzalloc(sizeof(*src), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, src);
	src->label = label;
	src->event_label = label;
	src->reopen = reopen;
	if (ops->stats_alloc(src)) {
		kfree(src);
		KUNIT_FAIL_AND_ABORT(test, "out of memory");
	}
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, destroy, src), 0);
	return src;
}

/**
 * tlob_counted - a counter of a source
 * @src: the source
 * @counter: which one
 *
 * Return: its sum over the CPUs.
 */
u64 tlob_counted(const struct tlob_source *src, enum tlob_counter counter)
{
	struct tlob_stats sum;

	ops->stats_sum(src, &sum);
	return sum.count[counter];
}

/**
 * tlob_expect_identity - each window that started has ended or is open
 * @test: the case
 * @src: a source of which no window starts or ends now
 * @open: how many are open
 */
void tlob_expect_identity(struct kunit *test, const struct tlob_source *src,
			  u64 open)
{
	struct tlob_stats sum;

	ops->stats_sum(src, &sum);
	KUNIT_EXPECT_EQ(test, sum.count[TLOB_STARTED],
			sum.count[TLOB_STOPPED] + sum.count[TLOB_RESTARTED] +
			sum.count[TLOB_EXITED] + sum.count[TLOB_EXECED] +
			sum.count[TLOB_CANCELLED] + open);
	KUNIT_EXPECT_EQ(test, sum.sum, sum.ns[running_tlob] +
			sum.ns[waiting_tlob] + sum.ns[sleeping_tlob]);
}

/**
 * tlob_expect_sums - the phases of a window make its length
 * @test: the case
 * @totals: of the window
 */
void tlob_expect_sums(struct kunit *test, const struct tlob_totals *totals)
{
	KUNIT_EXPECT_EQ(test, totals->elapsed, totals->ns[running_tlob] +
			totals->ns[waiting_tlob] + totals->ns[sleeping_tlob]);
}

/**
 * tlob_spin - use the CPU
 * @ns: how long at least
 */
void tlob_spin(u64 ns)
{
	u64 until = ktime_get_ns() + ns;

	/* No cpu_relax() here: it is what emulators are slow at. */
	while (ktime_get_ns() < until)
		;
}
