/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is said of a window that overran: a snapshot, taken under the task lock
 * and emitted without it.
 */
#ifndef _TLOB_REPORT_H
#define _TLOB_REPORT_H

#include <linux/sched.h>
#include <linux/types.h>

#include "blame.h"
#include "stats.h"

/**
 * struct tlob_report - snapshot of a window
 * @task: the task; valid on the RCU read side that it was taken on
 * @pid: the task's tid, initial namespace
 * @tgid: likewise
 * @comm: the task's name
 * @state: the task's state, enum states_tlob
 * @src: what the window belongs to; lives for an RCU grace period after its
 *	last window
 * @tag: of the window
 * @threshold: budget, ns
 * @totals: where the time went so far
 * @by: who has, or took, the task's CPU
 * @waker: who woke the task last in this window
 */
struct tlob_report {
	struct task_struct *task;
	pid_t pid;
	pid_t tgid;
	char comm[TASK_COMM_LEN];
	u8 state;
	struct tlob_source *src;
	u64 tag;
	u64 threshold;
	struct tlob_totals totals;
	struct tlob_culprit by, waker;
};

#endif /* _TLOB_REPORT_H */
