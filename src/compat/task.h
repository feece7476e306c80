/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The state of a task.
 */
#ifndef _TLOB_COMPAT_TASK_H
#define _TLOB_COMPAT_TASK_H

#include <linux/sched.h>

/*
 * The state that it set itself. 5.14 renamed task_struct::state and brought
 * task_is_running() with it.
 */
#ifdef task_is_running
#define tlob_task_is_runnable(task)	task_is_running(task)
#else
#define tlob_task_is_runnable(task)	(!READ_ONCE((task)->state))
#endif

/*
 * On a run queue: it runs, or waits for a CPU, whatever its state says, which it
 * sets before it sleeps.
 */
static inline bool tlob_task_is_queued(struct task_struct *task)
{
#ifdef TLOB_HAVE_TASK_IS_RUNNABLE
	return task_is_runnable(task);
#else
	return READ_ONCE(task->on_rq);
#endif
}

/* On a CPU, or just leaving it: cleared after sched_switch. */
static inline bool tlob_task_on_cpu(const struct task_struct *task)
{
#ifdef CONFIG_SMP
	return READ_ONCE(task->on_cpu);
#else
	return false;
#endif
}

#endif /* _TLOB_COMPAT_TASK_H */
