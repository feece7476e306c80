// SPDX-License-Identifier: GPL-2.0-only
/*
 * Windows that outlast their budget while the task is in a given state.
 */
#include <linux/delay.h>
#include <linux/ktime.h>
#include <linux/preempt.h>

#include "tlob_kunit.h"

static const struct tlob_kunit_ops *ops = &tlob_kunit_ops;

/* Far more than a timer needs; for one that never comes. */
#define PATIENCE_NS	(20 * (u64)NSEC_PER_SEC)

static bool reported(int pid)
{
	return tlob_nr_seen(TLOB_SEEN_DETAIL, pid);
}

/* Keeps the CPU, so that the task stays where it is until its budget ends. */
static void spin_until_reported(int pid, u64 budget)
{
	u64 until = ktime_get_ns() + budget + PATIENCE_NS / 4;

	preempt_disable();
	while (!reported(pid) && ktime_get_ns() < until)
		;
	preempt_enable();
}

static void in_running(struct kunit *test, struct tlob_overrun *o)
{
	o->pid = current->pid;
	o->start = tlob_start_task(current, o->budget);
	spin_until_reported(o->pid, o->budget);
	o->stop = tlob_stop_task(current);
}

static void sleeping_job(struct tlob_worker *w)
{
	struct tlob_overrun *o = w->arg;

	o->start = tlob_start_task(current, o->budget);
	tlob_worker_sleep(w);
	o->stop = tlob_stop_task(current);
}

static void in_sleeping(struct kunit *test, struct tlob_overrun *o,
			struct tlob_worker *w)
{
	u64 until = ktime_get_ns() + o->budget + PATIENCE_NS;

	o->pid = w->task->pid;
	tlob_worker_start(w, sleeping_job, o);
	while (!reported(o->pid) && ktime_get_ns() < until)
		usleep_range(1000, 2000);
	tlob_worker_go(w);
	tlob_worker_finish(w);
}

struct waiting {
	struct tlob_overrun *o;
	struct completion started;
};

static void waiting_job(struct tlob_worker *w)
{
	struct waiting *waiting = w->arg;

	waiting->o->start = tlob_start_task(current, waiting->o->budget);
	complete(&waiting->started);
	tlob_worker_spin(w);
	waiting->o->stop = tlob_stop_task(current);
}

/* The worker is on our CPU, and waits as long as we do not. */
static void in_waiting(struct kunit *test, struct tlob_overrun *o,
		       struct tlob_worker *w)
{
	struct waiting waiting = { .o = o };

	init_completion(&waiting.started);
	o->pid = w->task->pid;
	tlob_worker_start(w, waiting_job, &waiting);
	wait_for_completion(&waiting.started);
	spin_until_reported(o->pid, o->budget);
	tlob_worker_go(w);
	tlob_worker_finish(w);
}

/* What is so, wherever the task was. */
static void expect_overrun(struct kunit *test, const struct tlob_overrun *o)
{
	const struct tlob_report *r = &o->detail.report;

	KUNIT_EXPECT_EQ(test, o->start, 0);
	KUNIT_EXPECT_EQ(test, o->stop, -EOVERFLOW);
	KUNIT_EXPECT_EQ(test, o->violations, 1);
	KUNIT_EXPECT_EQ(test, o->nr[TLOB_SEEN_ERROR], 0);
	KUNIT_EXPECT_EQ(test, o->nr[TLOB_SEEN_ERROR_ENV], 1);
	KUNIT_EXPECT_EQ(test, o->nr[TLOB_SEEN_DETAIL], 1);
	KUNIT_EXPECT_EQ(test, o->nr[TLOB_SEEN_DONE], 1);
	KUNIT_EXPECT_EQ(test, r->threshold, o->budget);
	KUNIT_EXPECT_GE(test, r->totals.elapsed, o->budget);
	tlob_expect_sums(test, &r->totals);
}

/**
 * tlob_overrun_in - a window whose budget ends while the task is in a state
 * @test: the case, which fails if that does not come about
 * @where: the state; of the report, too, and most of the window's time
 * @o: result
 *
 * The window may spend its first part elsewhere, so that a small budget may be
 * over before the task is where it shall be: then try a larger one.
 */
void tlob_overrun_in(struct kunit *test, enum states_tlob where,
		     struct tlob_overrun *o)
{
	int cpu = tlob_take_cpu();
	struct tlob_worker *w = tlob_worker_create(test, cpu);
	const struct tlob_totals *totals = &o->detail.report.totals;
	unsigned int i;
	u64 budget;

	for (budget = 20 * NSEC_PER_MSEC; budget < 4 * (u64)NSEC_PER_SEC;
	     budget *= 5) {
		*o = (struct tlob_overrun) { .budget = budget };
		o->violations = tlob_counted(ops->kernel_source, TLOB_VIOLATIONS);
		tlob_record_anew();
		switch (where) {
		case running_tlob:
			in_running(test, o);
			break;
		case sleeping_tlob:
			in_sleeping(test, o, w);
			break;
		default:
			in_waiting(test, o, w);
		}
		o->violations = tlob_counted(ops->kernel_source, TLOB_VIOLATIONS) -
				o->violations;
		for (i = 0; i < TLOB_NR_SEEN; i++)
			o->nr[i] = tlob_nr_seen(i, o->pid);
		tlob_get_seen(TLOB_SEEN_DETAIL, o->pid, 0, &o->detail);
		expect_overrun(test, o);
		if (o->detail.report.state == where &&
		    2 * totals->ns[where] > totals->elapsed)
			return;
	}
	KUNIT_FAIL(test, "budget %llu: %s at the report; running %llu waiting %llu sleeping %llu",
		   o->budget, o->detail.state, totals->ns[running_tlob],
		   totals->ns[waiting_tlob], totals->ns[sleeping_tlob]);
}
