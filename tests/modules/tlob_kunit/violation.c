// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is said of a window that overran, and that nothing is said of others.
 */
#include <linux/delay.h>

#include "tlob_kunit.h"

static const struct tlob_kunit_ops *ops = &tlob_kunit_ops;

static void no_error_within_budget(struct kunit *test)
{
	u64 violations = tlob_counted(ops->kernel_source, TLOB_VIOLATIONS);
	int i;

	tlob_record(test);
	for (i = 0; i < 20; i++) {
		KUNIT_EXPECT_EQ(test, tlob_start_task(current, TLOB_HOUR - i),
				0);
		if (i % 5 == 0)
			usleep_range(1000, 2000);
		KUNIT_EXPECT_EQ(test, tlob_stop_task(current), 0);
	}
	KUNIT_EXPECT_EQ(test, tlob_counted(ops->kernel_source, TLOB_VIOLATIONS),
			violations);
	KUNIT_EXPECT_EQ(test, tlob_nr_seen(TLOB_SEEN_ERROR, 0), 0);
	KUNIT_EXPECT_EQ(test, tlob_nr_seen(TLOB_SEEN_ERROR_ENV, 0), 0);
	KUNIT_EXPECT_EQ(test, tlob_nr_seen(TLOB_SEEN_DETAIL, 0), 0);
	KUNIT_EXPECT_EQ(test, tlob_nr_seen(TLOB_SEEN_DONE, 0), 0);
}

static void dominates(struct kunit *test, enum states_tlob state)
{
	struct tlob_overrun o;
	const struct tlob_totals *totals = &o.detail.report.totals;
	unsigned int other;

	tlob_record(test);
	tlob_overrun_in(test, state, &o);
	for (other = 0; other < state_max_tlob; other++)
		if (other != state)
			KUNIT_EXPECT_GT(test, totals->ns[state],
					totals->ns[other]);
}

static void detail_running_dominates(struct kunit *test)
{
	dominates(test, running_tlob);
}

static void detail_sleeping_dominates(struct kunit *test)
{
	dominates(test, sleeping_tlob);
}

static void detail_waiting_dominates(struct kunit *test)
{
	dominates(test, waiting_tlob);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(no_error_within_budget),
	KUNIT_CASE_SLOW(detail_running_dominates),
	KUNIT_CASE_SLOW(detail_sleeping_dominates),
	KUNIT_CASE_SLOW(detail_waiting_dominates),
	{}
};

static struct kunit_suite suite = {
	.name = "tlob_violation_react",
	.suite_init = tlob_claim,
	.suite_exit = tlob_unclaim,
	.init = tlob_case_init,
	.exit = tlob_case_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
