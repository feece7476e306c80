/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The scheduler's tracepoints, whose prototypes moved over time.
 *
 * check_trace_callback_type_X() is what the kernel declares next to each
 * tracepoint: its parameter is the probe's type. A probe is written once for
 * each type known; the one that fits is registered, and if none does the
 * build fails.
 */
#ifndef _TLOB_COMPAT_SCHED_H
#define _TLOB_COMPAT_SCHED_H

#include <linux/binfmts.h>
#include <linux/sched.h>
#include <linux/tracepoint.h>
#include <trace/events/sched.h>

#include "task.h"

#define tlob_probe_fits(tp, type)					\
	__builtin_types_compatible_p(typeof(&check_trace_callback_type_##tp), \
				     void (*)(type))

/* 5.10 to 5.17 */
typedef void (*tlob_switch_3)(void *, bool, struct task_struct *,
			      struct task_struct *);
/* 5.18: prev_state came */
typedef void (*tlob_switch_state_first)(void *, bool, unsigned int,
					struct task_struct *,
					struct task_struct *);
/* 5.19: and moved to the end */
typedef void (*tlob_switch_state_last)(void *, bool, struct task_struct *,
				       struct task_struct *, unsigned int);

/*
 * Define probe @name for sched_switch, whichever its prototype, on top of
 * matters(prev, next) and, if that is true, fn(prev, next, blocks). blocks: prev
 * gave the CPU up to wait for an event. prev_state alone is not enough where it
 * was read before a pending signal put the task back to running. Before it came,
 * who waits has left the run queue by then; preempt is no help there: on RT it is
 * said also of a task that waits for a lock.
 */
#define TLOB_SCHED_SWITCH_PROBE(name, matters, fn)			\
static void __maybe_unused						\
name##_3(void *data, bool preempt, struct task_struct *prev,		\
	 struct task_struct *next)					\
{									\
	if (matters(prev, next))					\
		fn(prev, next, !tlob_task_is_queued(prev));		\
}									\
static void __maybe_unused						\
name##_state_first(void *data, bool preempt, unsigned int prev_state,	\
		   struct task_struct *prev, struct task_struct *next)	\
{									\
	if (matters(prev, next))					\
		fn(prev, next, !preempt && prev_state &&		\
		   !tlob_task_is_runnable(prev));			\
}									\
static void __maybe_unused						\
name##_state_last(void *data, bool preempt, struct task_struct *prev,	\
		  struct task_struct *next, unsigned int prev_state)	\
{									\
	if (matters(prev, next))					\
		fn(prev, next, !preempt && prev_state &&		\
		   !tlob_task_is_runnable(prev));			\
}

#define TLOB_SCHED_SWITCH_FN(name)					\
	__builtin_choose_expr(						\
		tlob_probe_fits(sched_switch, tlob_switch_3), name##_3,	\
	__builtin_choose_expr(						\
		tlob_probe_fits(sched_switch, tlob_switch_state_first),	\
		name##_state_first, name##_state_last))

typedef void (*tlob_exit_1)(void *, struct task_struct *);

/* 6.16: sched_process_exit says whether the process goes with the thread. */
#define TLOB_PROCESS_EXIT_PROBE(name, fn)				\
static void __maybe_unused						\
name##_1(void *data, struct task_struct *task)				\
{									\
	fn(task);							\
}									\
static void __maybe_unused						\
name##_group_dead(void *data, struct task_struct *task, bool group_dead) \
{									\
	fn(task);							\
}

#define TLOB_PROCESS_EXIT_FN(name)					\
	__builtin_choose_expr(						\
		tlob_probe_fits(sched_process_exit, tlob_exit_1),	\
		name##_1, name##_group_dead)

#endif /* _TLOB_COMPAT_SCHED_H */
