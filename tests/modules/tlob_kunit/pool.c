// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pools that windows come from: no start fails while fewer than their
 * number are open, whatever came before.
 */
#include "tlob_kunit.h"

static const struct tlob_kunit_ops *ops = &tlob_kunit_ops;

#define SIZE	3
#define ROUNDS	500

static int start(struct tlob_source *src, u64 budget)
{
	return ops->window_start(current, src, budget, 0, 0);
}

static int stop(struct tlob_source *src)
{
	return ops->window_stop(current, src, TLOB_STOP_OFFSET, 0, NULL);
}

static void exhaustion(struct kunit *test)
{
	struct tlob_source *src[SIZE + 1];
	int i;

	for (i = 0; i <= SIZE; i++)
		src[i] = tlob_source_create(test, "pool", TLOB_REOPEN_RESTARTS);
	KUNIT_ASSERT_EQ(test, tlob_resize(SIZE), 0);
	for (i = 0; i < SIZE; i++)
		KUNIT_EXPECT_EQ(test, start(src[i], TLOB_HOUR), 0);
	KUNIT_EXPECT_EQ(test, start(src[SIZE], TLOB_HOUR), -ENOSPC);
	KUNIT_EXPECT_EQ(test, start(src[SIZE], TLOB_HOUR), -ENOSPC);
	KUNIT_EXPECT_EQ(test, tlob_counted(src[SIZE], TLOB_MISSED_POOL), 2);
	KUNIT_EXPECT_EQ(test, tlob_counted(src[SIZE], TLOB_STARTED), 0);
	/* A restart takes no further one. */
	KUNIT_EXPECT_EQ(test, start(src[0], TLOB_HOUR), 0);
	KUNIT_EXPECT_EQ(test, stop(src[1]), 0);
	KUNIT_EXPECT_EQ(test, start(src[SIZE], TLOB_HOUR), 0);
	KUNIT_EXPECT_EQ(test, start(src[1], TLOB_HOUR), -ENOSPC);
	for (i = 0; i <= SIZE; i++) {
		KUNIT_EXPECT_EQ(test, stop(src[i]), i == 1 ? -ESRCH : 0);
		tlob_expect_identity(test, src[i], 0);
	}
}

/* Budgets whose timer stays armed over the stop, and whose does not. */
static void reuse(struct kunit *test)
{
	static const u64 budgets[] = { TLOB_HOUR, 1000, 60000, 1000000 };
	struct tlob_source *src = tlob_source_create(test, "reuse",
						     TLOB_REOPEN_RESTARTS);
	int i, missed = 0;

	KUNIT_ASSERT_EQ(test, tlob_resize(1), 0);
	for (i = 0; i < ROUNDS; i++) {
		missed += !!start(src, budgets[i % ARRAY_SIZE(budgets)]);
		stop(src);
	}
	KUNIT_EXPECT_EQ(test, missed, 0);
	KUNIT_EXPECT_EQ(test, tlob_counted(src, TLOB_MISSED_POOL), 0);
	KUNIT_EXPECT_EQ(test, tlob_counted(src, TLOB_STOPPED), ROUNDS);
	tlob_expect_identity(test, src, 0);
}

struct turns {
	struct tlob_source *src;
	int missed;
};

static void take_turn(struct tlob_worker *w)
{
	struct turns *turns = w->arg;

	turns->missed += !!start(turns->src, TLOB_HOUR);
	stop(turns->src);
}

/* The last of two tasks leaves a record behind that the other one needs. */
static void alternating(struct kunit *test)
{
	struct turns turns = {
		.src = tlob_source_create(test, "turns", TLOB_REOPEN_RESTARTS),
	};
	struct tlob_worker *a = tlob_worker_create(test, -1);
	struct tlob_worker *b = tlob_worker_create(test, -1);
	int i;

	KUNIT_ASSERT_EQ(test, tlob_resize(1), 0);
	for (i = 0; i < ROUNDS / 5; i++) {
		tlob_worker_run(a, take_turn, &turns);
		tlob_worker_run(b, take_turn, &turns);
	}
	KUNIT_EXPECT_EQ(test, turns.missed, 0);
	KUNIT_EXPECT_EQ(test, tlob_counted(turns.src, TLOB_MISSED_POOL), 0);
	KUNIT_EXPECT_EQ(test, tlob_counted(turns.src, TLOB_STOPPED),
			2 * (ROUNDS / 5));
	tlob_expect_identity(test, turns.src, 0);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(exhaustion),
	KUNIT_CASE_SLOW(reuse),
	KUNIT_CASE_SLOW(alternating),
	{}
};

static struct kunit_suite suite = {
	.name = "tlob_pool",
	.suite_init = tlob_claim,
	.suite_exit = tlob_unclaim,
	.init = tlob_case_init,
	.exit = tlob_case_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
