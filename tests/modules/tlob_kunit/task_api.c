// SPDX-License-Identifier: GPL-2.0-only
/*
 * tlob_start_task() and tlob_stop_task().
 */
#include <linux/bitops.h>
#include <linux/delay.h>
#include <linux/threads.h>

#include "tlob_kunit.h"

static const struct tlob_kunit_ops *ops = &tlob_kunit_ops;

static const enum tlob_counter counters[] = {
	TLOB_STARTED, TLOB_STOPPED, TLOB_RESTARTED, TLOB_EXITED, TLOB_EXECED,
	TLOB_CANCELLED, TLOB_VIOLATIONS, TLOB_MISSED_POOL,
	TLOB_UNMATCHED_STOPS, TLOB_ANOMALIES,
};

/* What was counted for the binding `kernel` before a case */
static u64 base[TLOB_NR_COUNTERS];

static int init(struct kunit *test)
{
	unsigned int i;

	tlob_case_init(test);
	for (i = 0; i < ARRAY_SIZE(counters); i++)
		base[counters[i]] = tlob_counted(ops->kernel_source,
						 counters[i]);
	return 0;
}

static u64 grown(enum tlob_counter counter)
{
	return tlob_counted(ops->kernel_source, counter) - base[counter];
}

static void start_stop_ok(struct kunit *test)
{
	tlob_record(test);
	KUNIT_EXPECT_EQ(test, tlob_start_task(current, TLOB_HOUR), 0);
	KUNIT_EXPECT_EQ(test, grown(TLOB_STARTED), 1);
	KUNIT_EXPECT_EQ(test, grown(TLOB_STOPPED), 0);
	KUNIT_EXPECT_EQ(test, tlob_stop_task(current), 0);
	KUNIT_EXPECT_EQ(test, grown(TLOB_STARTED), 1);
	KUNIT_EXPECT_EQ(test, grown(TLOB_STOPPED), 1);
	KUNIT_EXPECT_EQ(test, grown(TLOB_VIOLATIONS), 0);
	KUNIT_EXPECT_EQ(test, grown(TLOB_ANOMALIES), 0);
	KUNIT_EXPECT_EQ(test, tlob_nr_seen(TLOB_SEEN_DETAIL, 0), 0);
	KUNIT_EXPECT_EQ(test, tlob_nr_seen(TLOB_SEEN_DONE, 0), 0);
	tlob_expect_identity(test, ops->kernel_source, 0);
}

static void double_start(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, tlob_start_task(current, TLOB_HOUR), 0);
	KUNIT_EXPECT_EQ(test, tlob_start_task(current, TLOB_HOUR), -EALREADY);
	KUNIT_EXPECT_EQ(test, tlob_start_task(current, 1000000), -EALREADY);
	tlob_expect_identity(test, ops->kernel_source, 1);
	KUNIT_EXPECT_EQ(test, tlob_stop_task(current), 0);
	KUNIT_EXPECT_EQ(test, tlob_stop_task(current), -ESRCH);
	KUNIT_EXPECT_EQ(test, grown(TLOB_STARTED), 1);
	KUNIT_EXPECT_EQ(test, grown(TLOB_STOPPED), 1);
	KUNIT_EXPECT_EQ(test, grown(TLOB_RESTARTED), 0);
}

static void stop_without_start(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, tlob_stop_task(current), -ESRCH);
	KUNIT_EXPECT_EQ(test, grown(TLOB_UNMATCHED_STOPS), 1);
	KUNIT_EXPECT_EQ(test, grown(TLOB_STARTED), 0);
	KUNIT_EXPECT_EQ(test, grown(TLOB_STOPPED), 0);
}

static void threshold_range(struct kunit *test)
{
	static const u64 outside[] = { 0, 1, 999, TLOB_HOUR + 1, U64_MAX };
	int i;

	for (i = 0; i < ARRAY_SIZE(outside); i++)
		KUNIT_EXPECT_EQ_MSG(test, tlob_start_task(current, outside[i]),
				    -ERANGE, "%llu ns", outside[i]);
	KUNIT_EXPECT_EQ(test, tlob_stop_task(current), -ESRCH);
	KUNIT_EXPECT_EQ(test, grown(TLOB_STARTED), 0);

	KUNIT_EXPECT_EQ(test, tlob_start_task(current, 1000), 0);
	/* In budget or not, as fast as the machine is. */
	KUNIT_EXPECT_NE(test, tlob_stop_task(current), -ESRCH);
	KUNIT_EXPECT_EQ(test, tlob_start_task(current, TLOB_HOUR), 0);
	KUNIT_EXPECT_EQ(test, tlob_stop_task(current), 0);
}

/* The shortest budget is over at once, is said once, whoever sees it first. */
static void immediate_deadline(struct kunit *test)
{
	struct tlob_seen detail = {}, done = {};

	tlob_record(test);
	KUNIT_EXPECT_EQ(test, tlob_start_task(current, 1000), 0);
	tlob_spin(1001);
	KUNIT_EXPECT_EQ(test, tlob_stop_task(current), -EOVERFLOW);
	KUNIT_EXPECT_EQ(test, grown(TLOB_VIOLATIONS), 1);
	KUNIT_EXPECT_EQ(test, tlob_nr_seen(TLOB_SEEN_ERROR_ENV, 0), 1);
	KUNIT_EXPECT_EQ(test, tlob_nr_seen(TLOB_SEEN_DETAIL, 0), 1);
	KUNIT_EXPECT_EQ(test, tlob_nr_seen(TLOB_SEEN_DONE, 0), 1);
	tlob_get_seen(TLOB_SEEN_DETAIL, 0, 0, &detail);
	tlob_get_seen(TLOB_SEEN_DONE, 0, 0, &done);
	KUNIT_EXPECT_GE(test, detail.report.totals.elapsed, 1000);
	KUNIT_EXPECT_GE(test, done.report.totals.elapsed,
			detail.report.totals.elapsed);
}

static void enospc(struct kunit *test)
{
	struct tlob_worker *a = tlob_worker_create(test, -1);
	struct tlob_worker *b = tlob_worker_create(test, -1);

	KUNIT_ASSERT_EQ(test, tlob_resize(2), 0);
	KUNIT_EXPECT_EQ(test, tlob_start_task(current, TLOB_HOUR), 0);
	KUNIT_EXPECT_EQ(test, tlob_start_task(a->task, TLOB_HOUR), 0);
	KUNIT_EXPECT_EQ(test, tlob_start_task(b->task, TLOB_HOUR), -ENOSPC);
	KUNIT_EXPECT_EQ(test, grown(TLOB_MISSED_POOL), 1);
	KUNIT_EXPECT_EQ(test, grown(TLOB_STARTED), 2);

	KUNIT_EXPECT_EQ(test, tlob_stop_task(a->task), 0);
	KUNIT_EXPECT_EQ(test, tlob_start_task(b->task, TLOB_HOUR), 0);
	KUNIT_EXPECT_EQ(test, tlob_start_task(a->task, TLOB_HOUR), -ENOSPC);
	KUNIT_EXPECT_EQ(test, tlob_stop_task(b->task), 0);
	KUNIT_EXPECT_EQ(test, tlob_stop_task(current), 0);
	KUNIT_EXPECT_EQ(test, grown(TLOB_MISSED_POOL), 2);
	tlob_expect_identity(test, ops->kernel_source, 0);
}

static void deadline_fires_running(struct kunit *test)
{
	struct tlob_overrun o;

	tlob_record(test);
	tlob_overrun_in(test, running_tlob, &o);
	KUNIT_EXPECT_STREQ(test, o.detail.state, "running");
	KUNIT_EXPECT_EQ(test, o.detail.report.pid, current->pid);
}

static void deadline_fires_waiting(struct kunit *test)
{
	struct tlob_overrun o;

	tlob_record(test);
	tlob_overrun_in(test, waiting_tlob, &o);
	KUNIT_EXPECT_STREQ(test, o.detail.state, "waiting");
	/* We have its CPU. */
	KUNIT_EXPECT_EQ(test, o.detail.report.by.pid, current->pid);
}

static void deadline_fires_sleeping(struct kunit *test)
{
	struct tlob_overrun o;

	tlob_record(test);
	tlob_overrun_in(test, sleeping_tlob, &o);
	KUNIT_EXPECT_STREQ(test, o.detail.state, "sleeping");
	KUNIT_EXPECT_EQ(test, o.detail.report.waker.pid, 0);
}

/* No window, no record, no timer outlives the monitor's being enabled. */
static void reinit_clears_all(struct kunit *test)
{
	struct tlob_worker *a = tlob_worker_create(test, -1);
	struct tlob_worker *b = tlob_worker_create(test, -1);
	const struct tlob_table *t = ops->table;
	unsigned int i, open = 0;
	u64 due;

	KUNIT_EXPECT_EQ(test, tlob_start_task(a->task, TLOB_HOUR), 0);
	KUNIT_EXPECT_EQ(test, tlob_start_task(b->task, TLOB_HOUR), 0);
	tlob_record(test);
	/* Long enough to be disabled by then on most machines. */
	due = ktime_get_ns() + 2 * (u64)NSEC_PER_SEC;
	KUNIT_EXPECT_EQ(test, tlob_start_task(current, 2 * (u64)NSEC_PER_SEC),
			0);
	KUNIT_ASSERT_EQ(test, tlob_renew(), 0);
	if (ktime_get_ns() < due)
		KUNIT_EXPECT_EQ(test, grown(TLOB_VIOLATIONS), 0);
	else
		kunit_info(test, "too slow a machine to tell when it ended\n");

	KUNIT_EXPECT_EQ(test, grown(TLOB_CANCELLED), 3);
	for (i = 0; i < t->size; i++) {
		open += !!t->windows[i].rec;
		open += !!t->records[i].task;
		open += t->records[i].armed != TLOB_UNARMED;
	}
	KUNIT_EXPECT_EQ(test, open, 0);
	KUNIT_EXPECT_EQ(test, find_first_bit(t->pids, PID_MAX_LIMIT),
			PID_MAX_LIMIT);
	KUNIT_EXPECT_EQ(test, tlob_stop_task(current), -ESRCH);
	KUNIT_EXPECT_EQ(test, tlob_stop_task(a->task), -ESRCH);
	KUNIT_EXPECT_EQ(test, tlob_stop_task(b->task), -ESRCH);

	/* What would have fired does not. */
	tlob_record_anew();
	base[TLOB_VIOLATIONS] = tlob_counted(ops->kernel_source,
					     TLOB_VIOLATIONS);
	while (ktime_get_ns() < due + 10 * NSEC_PER_MSEC)
		msleep(20);
	KUNIT_EXPECT_EQ(test, grown(TLOB_VIOLATIONS), 0);
	KUNIT_EXPECT_EQ(test, tlob_nr_seen(TLOB_SEEN_DETAIL, 0), 0);

	KUNIT_EXPECT_EQ(test, tlob_start_task(a->task, TLOB_HOUR), 0);
	KUNIT_EXPECT_EQ(test, tlob_stop_task(a->task), 0);
	tlob_expect_identity(test, ops->kernel_source, 0);
}

/* Its exit was told: nobody would free a record of it. */
static void exited(struct kunit *test)
{
	struct tlob_worker *w = tlob_worker_create(test, -1);
	unsigned int i;

	tlob_worker_end(w);
	KUNIT_EXPECT_EQ(test, tlob_start_task(w->task, TLOB_HOUR), -ESRCH);
	KUNIT_EXPECT_EQ(test, ops->table_add(w->task), -ESRCH);
	for (i = 0; i < ops->table->size; i++)
		KUNIT_EXPECT_PTR_NE(test, ops->table->records[i].task, w->task);
	KUNIT_EXPECT_EQ(test, grown(TLOB_STARTED), 0);
	KUNIT_EXPECT_EQ(test, grown(TLOB_MISSED_POOL), 0);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(start_stop_ok),
	KUNIT_CASE(double_start),
	KUNIT_CASE(stop_without_start),
	KUNIT_CASE(threshold_range),
	KUNIT_CASE(immediate_deadline),
	KUNIT_CASE(enospc),
	KUNIT_CASE(exited),
	KUNIT_CASE_SLOW(deadline_fires_running),
	KUNIT_CASE_SLOW(deadline_fires_waiting),
	KUNIT_CASE_SLOW(deadline_fires_sleeping),
	KUNIT_CASE_SLOW(reinit_clears_all),
	{}
};

static struct kunit_suite suite = {
	.name = "tlob_task_api",
	.suite_init = tlob_claim,
	.suite_exit = tlob_unclaim,
	.init = init,
	.exit = tlob_case_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
