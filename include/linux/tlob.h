/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tlob for other modules: put a task on a budget.
 */
#ifndef _LINUX_TLOB_H
#define _LINUX_TLOB_H

#include <linux/types.h>

struct task_struct;

int tlob_start_task(struct task_struct *task, u64 threshold_ns);
int tlob_stop_task(struct task_struct *task);

#endif /* _LINUX_TLOB_H */
