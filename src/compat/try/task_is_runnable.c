// SPDX-License-Identifier: GPL-2.0-only
/* 6.12: a task that sleeps may still be on a run queue; this tells. */
#include <linux/sched.h>

bool try(struct task_struct *task);
bool try(struct task_struct *task)
{
	return task_is_runnable(task);
}
