// SPDX-License-Identifier: GPL-2.0-only
/*
 * kthreads that do what they are told.
 */
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <uapi/linux/sched/types.h>

#include "compat/task.h"
#include "tlob_kunit.h"

/* Whoever makes the condition true clears w->asleep first. */
static void wait_for(struct tlob_worker *w, bool job)
{
	w->switches = current->nvcsw;
	/* Pairs with tlob_worker_await_sleep(). */
	smp_store_release(&w->asleep, true);
	wait_event_interruptible(w->wait, kthread_should_stop() ||
				 (job ? !!READ_ONCE(w->job) :
					READ_ONCE(w->go)));
	WRITE_ONCE(w->asleep, false);
}

static int work(void *arg)
{
	struct tlob_worker *w = arg;

	while (!kthread_should_stop()) {
		wait_for(w, true);
		if (!READ_ONCE(w->job))
			continue;
		w->job(w);
		WRITE_ONCE(w->job, NULL);
		complete(&w->done);
	}
	return 0;
}

static void destroy(void *arg)
{
	struct tlob_worker *w = arg;

	tlob_worker_end(w);
	put_task_struct(w->task);
	kfree(w);
}

/**
 * tlob_worker_create - a worker, as long as the case
 * @test: the case
 * @cpu: where it runs; negative: anywhere
 *
 * Return: the worker, asleep.
 */
struct tlob_worker *tlob_worker_create(struct kunit *test, int cpu)
{
	struct tlob_worker *w = kzalloc(sizeof(*w), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, w);
	init_waitqueue_head(&w->wait);
	init_completion(&w->done);
	w->task = kthread_create(work, w, "tlob_kunit");
	if (IS_ERR(w->task)) {
		kfree(w);
		KUNIT_FAIL_AND_ABORT(test, "no kthread");
	}
	get_task_struct(w->task);
	if (cpu >= 0)
		kthread_bind(w->task, cpu);
	wake_up_process(w->task);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, destroy, w), 0);
	tlob_worker_await_sleep(test, w);
	return w;
}

/**
 * tlob_worker_start - give a worker a job
 * @w: the worker, without one
 * @job: what it shall do
 * @arg: for @job
 */
void tlob_worker_start(struct tlob_worker *w,
		       void (*job)(struct tlob_worker *w), void *arg)
{
	w->arg = arg;
	WRITE_ONCE(w->asleep, false);
	WRITE_ONCE(w->go, false);
	WRITE_ONCE(w->job, job);
	wake_up(&w->wait);
}

/**
 * tlob_worker_finish - wait for the end of its job
 * @w: the worker
 */
void tlob_worker_finish(struct tlob_worker *w)
{
	wait_for_completion(&w->done);
}

/**
 * tlob_worker_run - have a worker do a job
 * @w: the worker, without one
 * @job: what it shall do
 * @arg: for @job
 */
void tlob_worker_run(struct tlob_worker *w, void (*job)(struct tlob_worker *w),
		     void *arg)
{
	tlob_worker_start(w, job, arg);
	tlob_worker_finish(w);
}

/**
 * tlob_worker_await_sleep - wait until a worker is off its CPU and asleep
 * @test: the case, which fails if it does not sleep
 * @w: the worker
 */
void tlob_worker_await_sleep(struct kunit *test, struct tlob_worker *w)
{
	int i;

	for (i = 0; i < 30000; i++) {
		/*
		 * Its state alone would do, but for a wakeup under way, and a
		 * task that is preempted between setting it and sleeping.
		 * Pairs with wait_for().
		 */
		if (smp_load_acquire(&w->asleep) &&
		    READ_ONCE(w->task->nvcsw) != w->switches &&
		    !tlob_task_is_runnable(w->task) &&
		    !tlob_task_on_cpu(w->task))
			return;
		usleep_range(1000, 2000);
	}
	KUNIT_FAIL(test, "the worker does not sleep");
}

/**
 * tlob_worker_go - end tlob_worker_spin() or tlob_worker_sleep()
 * @w: the worker
 */
void tlob_worker_go(struct tlob_worker *w)
{
	WRITE_ONCE(w->asleep, false);
	WRITE_ONCE(w->go, true);
	wake_up(&w->wait);
}

/**
 * tlob_worker_end - have a worker exit
 * @w: the worker; without a job that does not end by itself
 *
 * When it returns, the worker is exiting, or has.
 */
void tlob_worker_end(struct tlob_worker *w)
{
	if (!w->ended)
		kthread_stop(w->task);
	w->ended = true;
}

/**
 * tlob_worker_spin - be runnable until tlob_worker_go()
 * @w: the worker, current
 */
void tlob_worker_spin(struct tlob_worker *w)
{
	while (!READ_ONCE(w->go) && !kthread_should_stop()) {
		WRITE_ONCE(w->spins, w->spins + 1);
		/* Also where nobody is preempted in the kernel. */
		schedule();
	}
}

/**
 * tlob_worker_sleep - sleep until tlob_worker_go()
 * @w: the worker, current
 */
void tlob_worker_sleep(struct tlob_worker *w)
{
	wait_for(w, false);
}

/**
 * tlob_take_cpu - have a CPU whenever we are runnable, until the case ends
 *
 * Return: the CPU.
 */
int tlob_take_cpu(void)
{
	int cpu = raw_smp_processor_id();

	set_cpus_allowed_ptr(current, cpumask_of(cpu));
	sched_set_fifo(current);
	return cpu;
}
