// SPDX-License-Identifier: GPL-2.0-only
/*
 * The buckets of the histogram, and what is counted in them.
 */
#include <linux/irqflags.h>

#include "tlob_kunit.h"

static const struct tlob_kunit_ops *ops = &tlob_kunit_ops;

/* One after another, without a gap, from 0 to the end. */
static void bucket_bounds(struct kunit *test)
{
	u64 next = 0;
	unsigned int i;

	for (i = 0; i < TLOB_HIST_BUCKETS; i++) {
		u64 low = tlob_hist_low(i), high = tlob_hist_high(i);

		KUNIT_ASSERT_EQ_MSG(test, low, next, "bucket %u", i);
		KUNIT_ASSERT_GE_MSG(test, high, low, "bucket %u", i);
		KUNIT_ASSERT_EQ(test, tlob_hist_bucket(low), i);
		KUNIT_ASSERT_EQ(test, tlob_hist_bucket(high), i);
		KUNIT_ASSERT_EQ(test, tlob_hist_bucket(low + (high - low) / 2),
				i);
		next = high + 1;
	}
	KUNIT_EXPECT_EQ(test, next, 0);
}

static void relative_error(struct kunit *test)
{
	unsigned int i;

	/* The last one takes what is above five hours, beyond any budget. */
	for (i = 0; i < TLOB_HIST_BUCKETS - 1; i++) {
		u64 low = tlob_hist_low(i), high = tlob_hist_high(i);

		KUNIT_EXPECT_LE_MSG(test, (high - low) * 16, low, "bucket %u",
				    i);
	}
	KUNIT_EXPECT_GT(test, tlob_hist_low(TLOB_HIST_BUCKETS - 1), TLOB_HOUR);
}

static u64 count_of(const struct tlob_source *src, unsigned int bucket)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += per_cpu_ptr(src->hist, cpu)->count[bucket];
	return sum;
}

static void totals(struct kunit *test)
{
	struct tlob_source *src = tlob_source_create(test, "hist",
						     TLOB_REOPEN_RESTARTS);
	static const u64 lengths[] = {
		0, 1, 15, 16, 17, 31, 32, 33, 1000, 1023, 1024, 999999,
		1000000, 1000000, 1000000, TLOB_HOUR, 1ULL << 44, U64_MAX / 32,
	};
	u64 sum = 0, counted = 0;
	struct tlob_stats stats;
	unsigned long flags;
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		struct tlob_totals t = {
			.elapsed = lengths[i],
			.ns[sleeping_tlob] = lengths[i],
		};

		local_irq_save(flags);
		ops->stats_stopped(src, &t);
		local_irq_restore(flags);
		sum += lengths[i];
	}
	for (i = 0; i < TLOB_HIST_BUCKETS; i++) {
		u64 want = 0;

		for (j = 0; j < ARRAY_SIZE(lengths); j++)
			want += lengths[j] >= tlob_hist_low(i) &&
				lengths[j] <= tlob_hist_high(i);
		KUNIT_EXPECT_EQ_MSG(test, count_of(src, i), want, "bucket %u", i);
		counted += count_of(src, i);
	}
	KUNIT_EXPECT_EQ(test, counted, ARRAY_SIZE(lengths));

	ops->stats_sum(src, &stats);
	KUNIT_EXPECT_EQ(test, stats.sum, sum);
	KUNIT_EXPECT_EQ(test, stats.ns[sleeping_tlob], sum);
	KUNIT_EXPECT_EQ(test, stats.min, 0);
	KUNIT_EXPECT_EQ(test, stats.max, U64_MAX / 32);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(bucket_bounds),
	KUNIT_CASE(relative_error),
	KUNIT_CASE(totals),
	{}
};

static struct kunit_suite suite = {
	.name = "tlob_hist",
	.test_cases = cases,
};

kunit_test_suite(suite);
