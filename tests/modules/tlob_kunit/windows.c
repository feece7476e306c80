// SPDX-License-Identifier: GPL-2.0-only
/*
 * Several windows on one task, and which start and which stop concern which.
 */
#include <linux/delay.h>
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "tlob_kunit.h"

static const struct tlob_kunit_ops *ops = &tlob_kunit_ops;

#define STEP_NS		(1 * (u64)NSEC_PER_MSEC)

static int start(struct tlob_source *src, unsigned long sp)
{
	return ops->window_start(current, src, TLOB_HOUR, 0, sp);
}

static int stop(struct tlob_source *src, unsigned long reach,
		unsigned long sp, struct tlob_totals *totals)
{
	return ops->window_stop(current, src, reach, sp, totals);
}

static u64 nr_open(const struct tlob_source *src)
{
	struct tlob_stats sum;

	ops->stats_sum(src, &sum);
	return sum.count[TLOB_STARTED] - sum.count[TLOB_STOPPED] -
	       sum.count[TLOB_RESTARTED] - sum.count[TLOB_EXITED] -
	       sum.count[TLOB_EXECED] - sum.count[TLOB_CANCELLED];
}

static void nested(struct kunit *test)
{
	struct tlob_source *outer = tlob_source_create(test, "outer",
						       TLOB_REOPEN_RESTARTS);
	struct tlob_source *inner = tlob_source_create(test, "inner",
						       TLOB_REOPEN_RESTARTS);
	struct tlob_totals in = {}, out = {};

	KUNIT_EXPECT_EQ(test, start(outer, 0), 0);
	tlob_spin(STEP_NS);
	KUNIT_EXPECT_EQ(test, start(inner, 0), 0);
	tlob_spin(STEP_NS);
	KUNIT_EXPECT_EQ(test, stop(inner, TLOB_STOP_OFFSET, 0, &in), 0);
	KUNIT_EXPECT_EQ(test, nr_open(outer), 1);
	tlob_spin(STEP_NS);
	KUNIT_EXPECT_EQ(test, stop(outer, TLOB_STOP_OFFSET, 0, &out), 0);

	KUNIT_EXPECT_GE(test, in.elapsed, STEP_NS);
	KUNIT_EXPECT_GE(test, out.elapsed, in.elapsed + 2 * STEP_NS);
	tlob_expect_sums(test, &in);
	tlob_expect_sums(test, &out);
	tlob_expect_identity(test, inner, 0);
	tlob_expect_identity(test, outer, 0);
}

/* Each has its own length and its own budget; one timer serves both. */
static void overlapping(struct kunit *test)
{
	struct tlob_source *a = tlob_source_create(test, "a",
						   TLOB_REOPEN_RESTARTS);
	struct tlob_source *b = tlob_source_create(test, "b",
						   TLOB_REOPEN_RESTARTS);
	struct tlob_totals at = {}, bt = {};
	struct tlob_seen detail = {};
	u64 a0, a1, b0, b1;

	tlob_record(test);
	a0 = ktime_get_ns();
	KUNIT_EXPECT_EQ(test, start(a, 0), 0);
	tlob_spin(STEP_NS);
	b0 = ktime_get_ns();
	KUNIT_EXPECT_EQ(test, ops->window_start(current, b, STEP_NS, 0, 0), 0);
	tlob_spin(2 * STEP_NS);
	KUNIT_EXPECT_EQ(test, stop(a, TLOB_STOP_OFFSET, 0, &at), 0);
	a1 = ktime_get_ns();
	KUNIT_EXPECT_EQ(test, stop(a, TLOB_STOP_OFFSET, 0, NULL), -ESRCH);
	tlob_spin(STEP_NS);
	KUNIT_EXPECT_EQ(test, stop(b, TLOB_STOP_OFFSET, 0, &bt), -EOVERFLOW);
	b1 = ktime_get_ns();

	KUNIT_EXPECT_GE(test, at.elapsed, 3 * STEP_NS);
	KUNIT_EXPECT_LE(test, at.elapsed, a1 - a0);
	KUNIT_EXPECT_GE(test, bt.elapsed, 3 * STEP_NS);
	KUNIT_EXPECT_LE(test, bt.elapsed, b1 - b0);
	KUNIT_EXPECT_EQ(test, tlob_counted(a, TLOB_VIOLATIONS), 0);
	KUNIT_EXPECT_EQ(test, tlob_counted(b, TLOB_VIOLATIONS), 1);
	KUNIT_EXPECT_EQ(test, tlob_nr_seen(TLOB_SEEN_DETAIL, 0), 1);
	tlob_get_seen(TLOB_SEEN_DETAIL, 0, 0, &detail);
	KUNIT_EXPECT_STREQ(test, detail.binding, "b");
	tlob_expect_identity(test, a, 0);
	tlob_expect_identity(test, b, 0);
}

/* With offset stops only, a second start begins anew. */
static void restart(struct kunit *test)
{
	struct tlob_source *src = tlob_source_create(test, "restart",
						     TLOB_REOPEN_RESTARTS);
	struct tlob_totals totals = {};
	u64 second;

	KUNIT_EXPECT_EQ(test, start(src, 0), 0);
	tlob_spin(STEP_NS);
	second = ktime_get_ns();
	KUNIT_EXPECT_EQ(test, start(src, 0), 0);
	KUNIT_EXPECT_EQ(test, tlob_counted(src, TLOB_RESTARTED), 1);
	tlob_expect_identity(test, src, 1);
	KUNIT_EXPECT_EQ(test, stop(src, TLOB_STOP_OFFSET, 0, &totals), 0);
	KUNIT_EXPECT_LE(test, totals.elapsed, ktime_get_ns() - second);
	KUNIT_EXPECT_EQ(test, stop(src, TLOB_STOP_OFFSET, 0, NULL), -ESRCH);

	/* Over its budget when it restarts: said, once. */
	tlob_record(test);
	KUNIT_EXPECT_EQ(test, ops->window_start(current, src, 1000, 0, 0), 0);
	tlob_spin(1001);
	KUNIT_EXPECT_EQ(test, start(src, 0), 0);
	KUNIT_EXPECT_EQ(test, stop(src, TLOB_STOP_OFFSET, 0, NULL), 0);
	KUNIT_EXPECT_EQ(test, tlob_counted(src, TLOB_VIOLATIONS), 1);
	KUNIT_EXPECT_EQ(test, tlob_nr_seen(TLOB_SEEN_DETAIL, 0), 1);
	KUNIT_EXPECT_EQ(test, tlob_nr_seen(TLOB_SEEN_DONE, 0), 0);
	tlob_expect_identity(test, src, 0);
}

/* Frames: the stack grows down, so that a deeper call has a lower one. */
#define OUTER	0x7fff0000UL
#define INNER	0x7ffe0000UL
#define CALLER	0x7fff8000UL

/* The outermost call is the window; inner calls and their returns are not. */
static void recursion_outermost(struct kunit *test)
{
	struct tlob_source *src = tlob_source_create(test, "recursion",
						     TLOB_REOPEN_NESTS);
	struct tlob_totals totals = {};

	KUNIT_EXPECT_EQ(test, start(src, OUTER), 0);
	tlob_spin(STEP_NS);
	KUNIT_EXPECT_EQ(test, start(src, INNER), 0);
	KUNIT_EXPECT_EQ(test, tlob_counted(src, TLOB_STARTED), 1);
	KUNIT_EXPECT_EQ(test, tlob_counted(src, TLOB_RESTARTED), 0);
	KUNIT_EXPECT_EQ(test, stop(src, TLOB_STOP_OWN_RETURN, INNER, NULL), 0);
	KUNIT_EXPECT_EQ(test, nr_open(src), 1);
	tlob_spin(STEP_NS);
	KUNIT_EXPECT_EQ(test, stop(src, TLOB_STOP_OWN_RETURN, OUTER, &totals),
			0);
	KUNIT_EXPECT_EQ(test, nr_open(src), 0);
	KUNIT_EXPECT_GE(test, totals.elapsed, 2 * STEP_NS);
	KUNIT_EXPECT_EQ(test, stop(src, TLOB_STOP_OWN_RETURN, OUTER, NULL),
			-ESRCH);
	tlob_expect_identity(test, src, 0);
}

/* A start in the recorded frame or above: the earlier frame was left. */
static void recursion_longjmp(struct kunit *test)
{
	struct tlob_source *src = tlob_source_create(test, "longjmp",
						     TLOB_REOPEN_NESTS);
	struct tlob_totals totals = {};
	u64 last;

	KUNIT_EXPECT_EQ(test, start(src, INNER), 0);
	tlob_spin(STEP_NS);
	KUNIT_EXPECT_EQ(test, start(src, INNER), 0);
	KUNIT_EXPECT_EQ(test, tlob_counted(src, TLOB_RESTARTED), 1);
	tlob_spin(STEP_NS);
	last = ktime_get_ns();
	KUNIT_EXPECT_EQ(test, start(src, OUTER), 0);
	KUNIT_EXPECT_EQ(test, tlob_counted(src, TLOB_RESTARTED), 2);
	/* The return of a frame that is gone is not its. */
	KUNIT_EXPECT_EQ(test, stop(src, TLOB_STOP_OWN_RETURN, INNER, NULL), 0);
	KUNIT_EXPECT_EQ(test, nr_open(src), 1);
	KUNIT_EXPECT_EQ(test, stop(src, TLOB_STOP_OWN_RETURN, OUTER, &totals),
			0);
	KUNIT_EXPECT_LE(test, totals.elapsed, ktime_get_ns() - last);
	KUNIT_EXPECT_EQ(test, nr_open(src), 0);
	tlob_expect_identity(test, src, 0);
}

/*
 * The return of the function that the start is in ends the window of its very
 * frame; that of another function also one which was opened below it.
 */
static void recursion_returns(struct kunit *test)
{
	struct tlob_source *src = tlob_source_create(test, "returns",
						     TLOB_REOPEN_NESTS);

	KUNIT_EXPECT_EQ(test, start(src, OUTER), 0);
	KUNIT_EXPECT_EQ(test, stop(src, TLOB_STOP_OWN_RETURN, CALLER, NULL), 0);
	KUNIT_EXPECT_EQ(test, nr_open(src), 1);
	KUNIT_EXPECT_EQ(test, stop(src, TLOB_STOP_RETURN, INNER, NULL), 0);
	KUNIT_EXPECT_EQ(test, nr_open(src), 1);
	KUNIT_EXPECT_EQ(test, stop(src, TLOB_STOP_RETURN, CALLER, NULL), 0);
	KUNIT_EXPECT_EQ(test, nr_open(src), 0);

	KUNIT_EXPECT_EQ(test, start(src, OUTER), 0);
	KUNIT_EXPECT_EQ(test, stop(src, TLOB_STOP_RETURN, OUTER, NULL), 0);
	KUNIT_EXPECT_EQ(test, nr_open(src), 0);

	/* One that popped an argument of four bytes, and what is no such thing. */
	KUNIT_EXPECT_EQ(test, start(src, OUTER), 0);
	KUNIT_EXPECT_EQ(test, stop(src, TLOB_STOP_OWN_RETURN, OUTER + 5, NULL),
			0);
	KUNIT_EXPECT_EQ(test, nr_open(src), 1);
	KUNIT_EXPECT_EQ(test, stop(src, TLOB_STOP_OWN_RETURN, OUTER + 4, NULL),
			0);
	KUNIT_EXPECT_EQ(test, nr_open(src), 0);

	/* An offset is an offset, whatever the frame. */
	KUNIT_EXPECT_EQ(test, start(src, OUTER), 0);
	KUNIT_EXPECT_EQ(test, start(src, INNER), 0);
	KUNIT_EXPECT_EQ(test, stop(src, TLOB_STOP_OFFSET, 0, NULL), 0);
	KUNIT_EXPECT_EQ(test, nr_open(src), 0);
	KUNIT_EXPECT_EQ(test, tlob_counted(src, TLOB_STOPPED), 4);
	tlob_expect_identity(test, src, 0);
}

static void end_source(struct tlob_source *src)
{
	ops->windows_end_source(src, TLOB_CANCELLED);
}

static void end_task(struct tlob_source *src)
{
	ops->windows_end_task(current, TLOB_EXITED);
}

/* Over its budget, and the timer cannot come: whoever ends the window says so. */
static void over_when_ended(struct kunit *test)
{
	static const struct {
		void (*end)(struct tlob_source *src);
		enum tlob_counter reason;
	} ends[] = {
		{ end_source, TLOB_CANCELLED },
		{ end_task, TLOB_EXITED },
	};
	int i;

	tlob_record(test);
	for (i = 0; i < ARRAY_SIZE(ends); i++) {
		struct tlob_source *src = tlob_source_create(test, "ended",
							     TLOB_REOPEN_RESTARTS);
		int ret;

		tlob_record_anew();
		local_irq_disable();
		ret = ops->window_start(current, src, 1000, 0, 0);
		tlob_spin(1001);
		ends[i].end(src);
		local_irq_enable();
		KUNIT_EXPECT_EQ(test, ret, 0);
		KUNIT_EXPECT_EQ(test, tlob_counted(src, ends[i].reason), 1);
		KUNIT_EXPECT_EQ(test, tlob_counted(src, TLOB_VIOLATIONS), 1);
		KUNIT_EXPECT_EQ(test, tlob_nr_seen(TLOB_SEEN_ERROR_ENV, 0), 1);
		KUNIT_EXPECT_EQ(test, tlob_nr_seen(TLOB_SEEN_DETAIL, 0), 1);
		tlob_expect_identity(test, src, 0);
	}
}

/* So does a start that is refused as no window may start any more. */
static void over_when_refused(struct kunit *test)
{
	struct tlob_source *src = tlob_source_create(test, "refused",
						     TLOB_REOPEN_RESTARTS);
	int first, second;

	tlob_record(test);
	local_irq_disable();
	first = ops->window_start(current, src, 1000, 0, 0);
	tlob_spin(1001);
	WRITE_ONCE(src->closed, true);
	second = start(src, 0);
	local_irq_enable();
	KUNIT_EXPECT_EQ(test, first, 0);
	KUNIT_EXPECT_EQ(test, second, -ENODEV);
	KUNIT_EXPECT_EQ(test, tlob_counted(src, TLOB_CANCELLED), 1);
	KUNIT_EXPECT_EQ(test, tlob_counted(src, TLOB_VIOLATIONS), 1);
	KUNIT_EXPECT_EQ(test, tlob_nr_seen(TLOB_SEEN_DETAIL, 0), 1);
	tlob_expect_identity(test, src, 0);
}

static void nothing(struct tlob_worker *w)
{
}

/*
 * A window that another task opens on one that sleeps, before and after that is
 * woken: the first has a waker, though the clock was not read between. It sleeps
 * again when their budgets end; those are large enough for it to be woken before.
 */
static void waker_since_the_start(struct kunit *test)
{
	struct tlob_source *a = tlob_source_create(test, "a",
						   TLOB_REOPEN_RESTARTS);
	struct tlob_source *b = tlob_source_create(test, "b",
						   TLOB_REOPEN_RESTARTS);
	struct tlob_worker *w = tlob_worker_create(test, -1);
	struct tlob_seen first = {}, second = {};
	int pid = w->task->pid;
	u64 budget, until;

	tlob_record(test);
	for (budget = 20 * STEP_NS; budget < 4000 * STEP_NS; budget *= 5) {
		tlob_record_anew();
		KUNIT_EXPECT_EQ(test, ops->window_start(w->task, a, budget, 0, 0), 0);
		tlob_worker_run(w, nothing, NULL);
		tlob_worker_await_sleep(test, w);
		KUNIT_EXPECT_EQ(test, ops->window_start(w->task, b, budget, 0, 0), 0);
		until = ktime_get_ns() + budget + 20000 * STEP_NS;
		while (tlob_nr_seen(TLOB_SEEN_DETAIL, pid) < 2 &&
		       ktime_get_ns() < until)
			usleep_range(1000, 2000);
		KUNIT_ASSERT_TRUE(test, tlob_get_seen(TLOB_SEEN_DETAIL, pid, 0, &first));
		KUNIT_ASSERT_TRUE(test, tlob_get_seen(TLOB_SEEN_DETAIL, pid, 1, &second));
		KUNIT_EXPECT_EQ(test, ops->window_stop(w->task, a, TLOB_STOP_OFFSET, 0, NULL),
				-EOVERFLOW);
		KUNIT_EXPECT_EQ(test, ops->window_stop(w->task, b, TLOB_STOP_OFFSET, 0, NULL),
				-EOVERFLOW);
		/* The reports may come together, and then in either order. */
		if (!strcmp(first.binding, "b"))
			swap(first, second);
		KUNIT_EXPECT_STREQ(test, first.binding, "a");
		KUNIT_EXPECT_STREQ(test, second.binding, "b");
		KUNIT_EXPECT_EQ(test, second.report.waker.pid, 0);
		if (first.report.waker.pid == current->pid)
			return;
	}
	KUNIT_FAIL(test, "the first has the waker %d", first.report.waker.pid);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(waker_since_the_start),
	KUNIT_CASE(nested),
	KUNIT_CASE(overlapping),
	KUNIT_CASE(restart),
	KUNIT_CASE(recursion_outermost),
	KUNIT_CASE(recursion_longjmp),
	KUNIT_CASE(recursion_returns),
	KUNIT_CASE(over_when_ended),
	KUNIT_CASE(over_when_refused),
	{}
};

static struct kunit_suite suite = {
	.name = "tlob_windows",
	.suite_init = tlob_claim,
	.suite_exit = tlob_unclaim,
	.init = tlob_case_init,
	.exit = tlob_case_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
