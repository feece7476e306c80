// SPDX-License-Identifier: GPL-2.0-only
/*
 * What other modules call: include/linux/tlob.h.
 */
#include <linux/export.h>
#include <linux/sched.h>
#include <linux/tlob.h>

#include "command.h"
#include "monitor.h"
#include "window.h"

/**
 * tlob_start_task - put a task on a budget
 * @task: the task; the caller holds a reference
 * @threshold_ns: budget, 1,000 to 3,600,000,000,000 ns
 *
 * One window a task. It ends by tlob_stop_task(), or when the task exits or
 * calls execve(), or when tlob is disabled. Belongs to the binding `kernel`.
 *
 * Context: may sleep.
 * Return: 0; -ENODEV if tlob is disabled; -ERANGE; -EALREADY if one is open;
 * -ENOSPC if max_monitored windows are open; -ESRCH if @task is exiting. The
 * first call since tlob was enabled also -ENOMEM, or -ENOENT if the kernel lacks a
 * tracepoint.
 */
int tlob_start_task(struct task_struct *task, u64 threshold_ns)
{
	int ret;

	if (!tlob_budget_valid(threshold_ns))
		return -ERANGE;
	ret = tlob_monitor_use_kernel();
	if (ret)
		return ret;
	ret = tlob_window_start(task, &tlob_kernel_source, threshold_ns, 0, 0);
	if (!ret && task != current)
		tlob_window_observe(task);
	return ret;
}
EXPORT_SYMBOL_GPL(tlob_start_task);

/**
 * tlob_stop_task - take a task off its budget
 * @task: the task; the caller holds a reference
 *
 * Context: any but NMI, and not under a lock of the scheduler.
 * Return: 0; -EOVERFLOW if it was over its budget; -ESRCH if tlob_start_task()
 * has no window open on it.
 */
int tlob_stop_task(struct task_struct *task)
{
	int ret = tlob_window_stop(task, &tlob_kernel_source, TLOB_STOP_OFFSET, 0,
				   NULL);

	if (ret == -ESRCH)
		tlob_count(&tlob_kernel_source, TLOB_UNMATCHED_STOPS);
	return ret;
}
EXPORT_SYMBOL_GPL(tlob_stop_task);
