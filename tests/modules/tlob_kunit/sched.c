// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the scheduler does to a task arrives in its windows.
 */
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/ktime.h>
#include <linux/preempt.h>

#include "tlob_kunit.h"

static const struct tlob_kunit_ops *ops = &tlob_kunit_ops;

#define RUN_NS		(5 * (u64)NSEC_PER_MSEC)
#define WAIT_NS		(10 * (u64)NSEC_PER_MSEC)
#define SLEEP_MS	15

struct passage {
	struct tlob_source *src;
	struct completion runnable;
	u64 before, after;	/* readings around the window, ns */
	int start, stop;
	struct tlob_totals totals;
};

/* Runs, sleeps until it is woken, then wants a CPU that it has to wait for. */
static void pass(struct tlob_worker *w)
{
	struct passage *p = w->arg;

	p->before = ktime_get_ns();
	p->start = ops->window_start(current, p->src, TLOB_HOUR, 0, 0);
	preempt_disable();
	tlob_spin(RUN_NS);
	preempt_enable();
	tlob_worker_sleep(w);
	WRITE_ONCE(w->go, false);
	complete(&p->runnable);
	tlob_worker_spin(w);
	p->stop = ops->window_stop(current, p->src, TLOB_STOP_OFFSET, 0,
				   &p->totals);
	p->after = ktime_get_ns();
}

/* Each event leaves the state that the one before it led to. */
static void expect_chain(struct kunit *test, int pid, bool *slept)
{
	struct tlob_seen prev = {}, next = {};
	unsigned int i;

	KUNIT_EXPECT_FALSE(test, tlob_seen_lost());
	KUNIT_EXPECT_EQ(test, tlob_nr_seen(TLOB_SEEN_ERROR, 0), 0);
	KUNIT_ASSERT_TRUE(test, tlob_get_seen(TLOB_SEEN_EVENT, pid, 0, &prev));
	KUNIT_EXPECT_STREQ(test, prev.event, "start");
	for (i = 1; tlob_get_seen(TLOB_SEEN_EVENT, pid, i, &next); i++) {
		KUNIT_EXPECT_STREQ(test, next.state, prev.next_state);
		if (!strcmp(next.event, "sleep"))
			*slept = true;
		prev = next;
	}
}

static void sched_switch_accounting(struct kunit *test)
{
	struct passage p = {
		.src = tlob_source_create(test, "passage",
					  TLOB_REOPEN_RESTARTS),
	};
	struct tlob_worker *w = tlob_worker_create(test, tlob_take_cpu());
	bool slept = false;

	init_completion(&p.runnable);
	tlob_record(test);
	tlob_worker_start(w, pass, &p);
	tlob_worker_await_sleep(test, w);
	msleep(SLEEP_MS);
	tlob_worker_go(w);
	wait_for_completion(&p.runnable);
	/* It is runnable, and we have its CPU. */
	preempt_disable();
	tlob_spin(WAIT_NS);
	preempt_enable();
	tlob_worker_go(w);
	tlob_worker_finish(w);

	KUNIT_EXPECT_EQ(test, p.start, 0);
	KUNIT_EXPECT_EQ(test, p.stop, 0);
	KUNIT_EXPECT_GE(test, p.totals.ns[running_tlob], RUN_NS);
	KUNIT_EXPECT_GE(test, p.totals.ns[sleeping_tlob],
			SLEEP_MS * (u64)NSEC_PER_MSEC);
	KUNIT_EXPECT_GE(test, p.totals.ns[waiting_tlob], WAIT_NS);
	KUNIT_EXPECT_LE(test, p.totals.elapsed, p.after - p.before);
	tlob_expect_sums(test, &p.totals);
	KUNIT_EXPECT_EQ(test, tlob_counted(p.src, TLOB_ANOMALIES), 0);
	expect_chain(test, w->task->pid, &slept);
	KUNIT_EXPECT_TRUE(test, slept);
}

/* What was added to the sums of the binding `kernel` */
struct growth {
	struct tlob_stats from;
};

static void grow_from(struct growth *g)
{
	ops->stats_sum(ops->kernel_source, &g->from);
}

static u64 grown(const struct growth *g, enum states_tlob state)
{
	struct tlob_stats now;

	ops->stats_sum(ops->kernel_source, &now);
	return now.ns[state] - g->from.ns[state];
}

static void run_a_while(struct tlob_worker *w)
{
	preempt_disable();
	tlob_spin(RUN_NS);
	preempt_enable();
}

/* Asleep from the start to the stop: not a nanosecond elsewhere. */
static void monitor_sleeper(struct kunit *test, struct tlob_worker *w)
{
	struct growth g;

	tlob_worker_await_sleep(test, w);
	grow_from(&g);
	KUNIT_EXPECT_EQ(test, tlob_start_task(w->task, TLOB_HOUR), 0);
	KUNIT_EXPECT_EQ(test, tlob_start_task(w->task, TLOB_HOUR), -EALREADY);
	msleep(SLEEP_MS);
	KUNIT_EXPECT_EQ(test, tlob_stop_task(w->task), 0);
	KUNIT_EXPECT_GE(test, grown(&g, sleeping_tlob),
			SLEEP_MS * (u64)NSEC_PER_MSEC);
	KUNIT_EXPECT_EQ(test, grown(&g, running_tlob), 0);
	KUNIT_EXPECT_EQ(test, grown(&g, waiting_tlob), 0);
}

static void monitor_woken(struct kunit *test, struct tlob_worker *w)
{
	struct growth g;

	tlob_worker_await_sleep(test, w);
	grow_from(&g);
	KUNIT_EXPECT_EQ(test, tlob_start_task(w->task, TLOB_HOUR), 0);
	tlob_worker_run(w, run_a_while, NULL);
	tlob_worker_await_sleep(test, w);
	KUNIT_EXPECT_EQ(test, tlob_stop_task(w->task), 0);
	KUNIT_EXPECT_GE(test, grown(&g, running_tlob), RUN_NS);
	KUNIT_EXPECT_GT(test, grown(&g, sleeping_tlob), 0);
}

/* Until it has had its CPU */
static void await_spin(struct kunit *test, struct tlob_worker *w)
{
	unsigned long from = READ_ONCE(w->spins);
	int i;

	for (i = 0; i < 30000 && READ_ONCE(w->spins) - from < 2; i++)
		usleep_range(1000, 2000);
	KUNIT_EXPECT_GE(test, READ_ONCE(w->spins) - from, 2);
}

/* Running all the while, on another CPU: it never sleeps. */
static void monitor_running_task(struct kunit *test)
{
	int cpu = cpumask_any_but(cpu_online_mask, tlob_take_cpu());
	struct tlob_worker *w;
	struct growth g;

	if (cpu >= nr_cpu_ids)
		kunit_skip(test, "one CPU: while this looks, no other task runs");
	w = tlob_worker_create(test, cpu);
	tlob_record(test);
	tlob_worker_start(w, tlob_worker_spin, NULL);
	await_spin(test, w);
	grow_from(&g);
	KUNIT_EXPECT_EQ(test, tlob_start_task(w->task, TLOB_HOUR), 0);
	await_spin(test, w);
	KUNIT_EXPECT_EQ(test, tlob_stop_task(w->task), 0);
	KUNIT_EXPECT_GT(test, grown(&g, running_tlob), 0);
	KUNIT_EXPECT_EQ(test, grown(&g, sleeping_tlob), 0);
	KUNIT_EXPECT_EQ(test, tlob_nr_seen(TLOB_SEEN_ERROR, 0), 0);
	tlob_worker_go(w);
	tlob_worker_finish(w);
	tlob_expect_identity(test, ops->kernel_source, 0);
}

static void monitor_other_task(struct kunit *test)
{
	struct tlob_worker *w = tlob_worker_create(test, -1);

	tlob_record(test);
	monitor_sleeper(test, w);
	monitor_woken(test, w);
	KUNIT_EXPECT_EQ(test, tlob_nr_seen(TLOB_SEEN_ERROR, 0), 0);
	tlob_worker_end(w);
	KUNIT_EXPECT_EQ(test, tlob_start_task(w->task, TLOB_HOUR), -ESRCH);
	KUNIT_EXPECT_EQ(test, tlob_stop_task(w->task), -ESRCH);
	tlob_expect_identity(test, ops->kernel_source, 0);
}

/* The record of a worker that sleeps, in a window of the source. */
static struct tlob_record *start_on_sleeper(struct kunit *test,
					    struct tlob_worker *w,
					    struct tlob_source *src)
{
	unsigned int i;

	tlob_worker_await_sleep(test, w);
	KUNIT_ASSERT_EQ(test, ops->window_start(w->task, src, TLOB_HOUR, 0, 0), 0);
	for (i = 0; i < ops->table->size; i++) {
		const struct tlob_window *window = &ops->table->windows[i];

		if (window->rec && window->src == src)
			return window->rec;
	}
	KUNIT_FAIL_AND_ABORT(test, "its window is not in the table");
	return NULL;
}

static int stop(struct tlob_worker *w, struct tlob_source *src,
		struct tlob_totals *totals)
{
	return ops->window_stop(w->task, src, TLOB_STOP_OFFSET, 0, totals);
}

/* A correction of the guess where a task is takes time back to the start, no further. */
static void guess_from_the_start(struct kunit *test)
{
	struct tlob_source *src = tlob_source_create(test, "guess",
						     TLOB_REOPEN_RESTARTS);
	struct tlob_worker *w = tlob_worker_create(test, -1);
	struct tlob_record *rec = start_on_sleeper(test, w, src);
	const struct tlob_window *window;

	window = hlist_entry(rec->windows.first, struct tlob_window, link);
	KUNIT_EXPECT_TRUE(test, rec->guessed);
	KUNIT_EXPECT_EQ(test, rec->guess_base,
			window->span.base[rec->clock.state]);
	KUNIT_EXPECT_EQ(test, stop(w, src, NULL), 0);
	tlob_worker_end(w);
	tlob_expect_identity(test, src, 0);
}

static void put_in(struct tlob_record *rec, enum states_tlob state, bool guessed)
{
	raw_spin_lock_irq(&rec->lock);
	rec->clock.state = state;
	rec->guessed = guessed;
	rec->guess_base = rec->clock.ns[state];
	raw_spin_unlock_irq(&rec->lock);
}

/*
 * Taken for running, or for waiting, it is woken and switched in: the guess was
 * wrong from the start on, and no event contradicts the model.
 */
static void wrong_guess(struct kunit *test)
{
	static const enum states_tlob guesses[] = { running_tlob, waiting_tlob };
	struct tlob_source *src = tlob_source_create(test, "guess",
						     TLOB_REOPEN_RESTARTS);
	struct tlob_worker *w = tlob_worker_create(test, -1);
	int i;

	tlob_record(test);
	for (i = 0; i < ARRAY_SIZE(guesses); i++) {
		struct tlob_totals totals = {};
		struct tlob_seen first = {}, second = {};

		put_in(start_on_sleeper(test, w, src), guesses[i], true);
		tlob_record_anew();
		msleep(SLEEP_MS);
		tlob_worker_run(w, run_a_while, NULL);
		tlob_worker_await_sleep(test, w);
		KUNIT_EXPECT_EQ(test, stop(w, src, &totals), 0);
		KUNIT_EXPECT_GE(test, totals.ns[running_tlob], RUN_NS);
		KUNIT_EXPECT_GE(test, totals.ns[waiting_tlob],
				SLEEP_MS * (u64)NSEC_PER_MSEC);
		tlob_expect_sums(test, &totals);
		KUNIT_EXPECT_EQ(test, tlob_nr_seen(TLOB_SEEN_ERROR, 0), 0);
		KUNIT_EXPECT_TRUE(test, tlob_get_seen(TLOB_SEEN_EVENT, w->task->pid,
						      0, &first));
		KUNIT_EXPECT_STREQ(test, first.event, "wakeup");
		KUNIT_EXPECT_STREQ(test, first.next_state, first.state);
		KUNIT_EXPECT_TRUE(test, tlob_get_seen(TLOB_SEEN_EVENT, w->task->pid,
						      1, &second));
		KUNIT_EXPECT_STREQ(test, second.state, "waiting");
		KUNIT_EXPECT_STREQ(test, second.event, "switch_in");
	}
	KUNIT_EXPECT_EQ(test, tlob_counted(src, TLOB_ANOMALIES), 0);
	tlob_worker_end(w);
	tlob_expect_identity(test, src, 0);
}

/*
 * Known to run, as by an event that was lost, and yet switched in: said, counted;
 * the window goes on, in the state that the event leads to.
 */
static void anomaly(struct kunit *test)
{
	struct tlob_source *src = tlob_source_create(test, "anomaly",
						     TLOB_REOPEN_RESTARTS);
	struct tlob_worker *w = tlob_worker_create(test, -1);
	struct tlob_totals totals = {};
	struct tlob_seen seen = {};

	put_in(start_on_sleeper(test, w, src), running_tlob, false);
	tlob_record(test);
	tlob_worker_run(w, run_a_while, NULL);
	tlob_worker_await_sleep(test, w);
	KUNIT_EXPECT_EQ(test, tlob_nr_seen(TLOB_SEEN_ERROR, 0), 1);
	KUNIT_EXPECT_TRUE(test, tlob_get_seen(TLOB_SEEN_ERROR, w->task->pid, 0, &seen));
	KUNIT_EXPECT_STREQ(test, seen.state, "running");
	KUNIT_EXPECT_STREQ(test, seen.event, "switch_in");
	KUNIT_EXPECT_EQ(test, tlob_counted(src, TLOB_ANOMALIES), 1);
	tlob_expect_identity(test, src, 1);
	KUNIT_EXPECT_EQ(test, stop(w, src, &totals), 0);
	KUNIT_EXPECT_GE(test, totals.ns[running_tlob], RUN_NS);
	tlob_expect_sums(test, &totals);
	tlob_worker_end(w);
	tlob_expect_identity(test, src, 0);
}

static struct kunit_case cases[] = {
	KUNIT_CASE_SLOW(sched_switch_accounting),
	KUNIT_CASE_SLOW(monitor_other_task),
	KUNIT_CASE(monitor_running_task),
	KUNIT_CASE(guess_from_the_start),
	KUNIT_CASE(wrong_guess),
	KUNIT_CASE(anomaly),
	{}
};

static struct kunit_suite suite = {
	.name = "tlob_sched_integration",
	.suite_init = tlob_claim,
	.suite_exit = tlob_unclaim,
	.init = tlob_case_init,
	.exit = tlob_case_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
