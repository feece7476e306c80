/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who is to blame: who runs where, as our own switch probe sees it, and what is
 * kept of a task that may be gone when its name is wanted.
 */
#ifndef _TLOB_BLAME_H
#define _TLOB_BLAME_H

#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/string.h>

/**
 * struct tlob_culprit - a task, or an interrupt, by name
 * @pid: tid, initial namespace; 0 for idle, an interrupt, and nobody
 * @comm: name; empty for nobody
 */
struct tlob_culprit {
	pid_t pid;
	char comm[TASK_COMM_LEN];
};

/*
 * The task that each CPU switched to last, NULL before the first switch since
 * the probes were attached. A reader on the RCU read side may use the task:
 * it is freed a grace period after the switch away from it.
 */
DECLARE_PER_CPU(struct task_struct *, tlob_cpu_task);

static inline void tlob_blame_nobody(struct tlob_culprit *culprit)
{
	culprit->pid = 0;
	culprit->comm[0] = '\0';
}

static inline void tlob_blame_task(struct tlob_culprit *culprit,
				   const struct task_struct *task)
{
	culprit->pid = task->pid;
	memcpy(culprit->comm, task->comm, TASK_COMM_LEN);
}

/*
 * Whoever runs this code: at sched_waking, the waker. What the idle task does is
 * others' work, which came by an interrupt or instead of one.
 */
static inline void tlob_blame_context(struct tlob_culprit *culprit)
{
	if (in_task() && !is_idle_task(current)) {
		tlob_blame_task(culprit, current);
	} else {
		culprit->pid = 0;
		strscpy(culprit->comm, "<irq>", sizeof(culprit->comm));
	}
}

/* The task on a CPU, other than @task; NULL if none was seen. RCU read side. */
static inline struct task_struct *tlob_taker(const struct task_struct *task)
{
	struct task_struct *taker;

	taker = READ_ONCE(per_cpu(tlob_cpu_task, task_cpu(task)));
	return taker == task ? NULL : taker;
}

#endif /* _TLOB_BLAME_H */
