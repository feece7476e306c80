// SPDX-License-Identifier: GPL-2.0-only
/*
 * The probes on the scheduler's tracepoints: from there to the events of the
 * automaton.
 *
 * The tracepoints are not exported to modules; they are looked up by name and
 * the type of each probe is checked against the declaration.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/errno.h>
#include <linux/cpumask.h>
#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/printk.h>
#include <linux/rcupdate.h>
#include <linux/string.h>
#include <linux/tracepoint.h>

#include "compat/sched.h"
#include "sched.h"
#include "window.h"

DEFINE_PER_CPU(struct task_struct *, tlob_cpu_task);

/*
 * Probes come in two parts: what tells tasks without windows, which needs no stack
 * frame so, and the rest. A switch of such tasks costs 29 instructions on 7.3, 19 of
 * them before any of ours.
 */

/* Under rq lock, interrupts off. */
static __always_inline bool switch_matters(struct task_struct *prev,
					   struct task_struct *next)
{
	this_cpu_write(tlob_cpu_task, next);
	return tlob_table_may_have(prev) || tlob_table_may_have(next);
}

/* Likewise. */
static noinline void probe_switch(struct task_struct *prev,
				  struct task_struct *next, bool blocks)
{
	struct tlob_record *rec;

	rec = tlob_table_find(prev);
	if (rec)
		tlob_task_event(rec, prev, blocks ? sleep_tlob : preempt_tlob,
				next);
	rec = tlob_table_find(next);
	if (rec)
		tlob_task_event(rec, next, switch_in_tlob, NULL);
}

TLOB_SCHED_SWITCH_PROBE(probe_sched_switch, switch_matters, probe_switch)

/* Under pi_lock or rq lock, or with neither: a task that wakes itself. */
static noinline void probe_wakeup(struct task_struct *task)
{
	struct tlob_record *rec;
	unsigned long flags;

	/* An RCU read side, too. */
	local_irq_save(flags);
	rec = tlob_table_walk(task);
	if (rec)
		tlob_task_event(rec, task, wakeup_tlob, tlob_taker(task));
	local_irq_restore(flags);
}

static void probe_sched_wakeup(void *data, struct task_struct *task)
{
	if (tlob_table_may_have(task))
		probe_wakeup(task);
}

/* The waker is current here; at sched_wakeup it may be on another CPU. */
static noinline void probe_waking(struct task_struct *task)
{
	struct tlob_record *rec;
	unsigned long flags;

	/* Likewise. */
	local_irq_save(flags);
	rec = tlob_table_walk(task);
	if (rec)
		tlob_task_waking(rec, task);
	local_irq_restore(flags);
}

static void probe_sched_waking(void *data, struct task_struct *task)
{
	if (tlob_table_may_have(task))
		probe_waking(task);
}

static void probe_exit(struct task_struct *task)
{
	tlob_windows_end_task(task, TLOB_EXITED);
}

TLOB_PROCESS_EXIT_PROBE(probe_sched_process_exit, probe_exit)

static void probe_sched_process_exec(void *data, struct task_struct *task,
				     pid_t old_pid, struct linux_binprm *bprm)
{
	tlob_windows_end_task(task, TLOB_EXECED);
}

/* In the order of attaching: ends before starts, wakeups before switches. */
static struct hook {
	const char *name;
	void *probe;
	struct tracepoint *tp;
} hooks[] = {
	{ "sched_process_exit",
	  TLOB_PROCESS_EXIT_FN(probe_sched_process_exit) },
	{ "sched_process_exec", probe_sched_process_exec },
	{ "sched_wakeup", probe_sched_wakeup },
	{ "sched_waking", probe_sched_waking },
	{ "sched_switch", TLOB_SCHED_SWITCH_FN(probe_sched_switch) },
};

/* The build fails here if a probe does not fit its tracepoint. */
static void __maybe_unused check_probes(void)
{
	check_trace_callback_type_sched_process_exit(
		TLOB_PROCESS_EXIT_FN(probe_sched_process_exit));
	check_trace_callback_type_sched_process_exec(probe_sched_process_exec);
	check_trace_callback_type_sched_wakeup(probe_sched_wakeup);
	check_trace_callback_type_sched_waking(probe_sched_waking);
	check_trace_callback_type_sched_switch(TLOB_SCHED_SWITCH_FN(probe_sched_switch));
}

static void match_tracepoint(struct tracepoint *tp, void *data)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(hooks); i++)
		if (!strcmp(tp->name, hooks[i].name))
			hooks[i].tp = tp;
}

static void unregister_hooks(int n)
{
	while (n--)
		tracepoint_probe_unregister(hooks[n].tp, hooks[n].probe, NULL);
	/*
	 * The first waits for the probes; where those run under SRCU, it does
	 * not wait for the RCU readers that they and the uprobe handlers are.
	 */
	tracepoint_synchronize_unregister();
	synchronize_rcu();
}

/**
 * tlob_sched_attach - attach the probes
 *
 * Context: may sleep; the table is allocated.
 * Return: 0; -ENOENT if the kernel lacks a tracepoint; what
 * tracepoint_probe_register() returns. On error none is attached.
 */
int tlob_sched_attach(void)
{
	int cpu, i, ret;

	/* What it was when the probes were detached may be gone. */
	for_each_possible_cpu(cpu)
		per_cpu(tlob_cpu_task, cpu) = NULL;
	for_each_kernel_tracepoint(match_tracepoint, NULL);
	for (i = 0; i < ARRAY_SIZE(hooks); i++) {
		if (!hooks[i].tp) {
			pr_err("this kernel has no tracepoint %s\n",
			       hooks[i].name);
			ret = -ENOENT;
			goto unwind;
		}
		ret = tracepoint_probe_register(hooks[i].tp, hooks[i].probe,
						NULL);
		if (ret) {
			pr_err("cannot attach to tracepoint %s: %d\n",
			       hooks[i].name, ret);
			goto unwind;
		}
	}
	return 0;

unwind:
	unregister_hooks(i);
	return ret;
}

/**
 * tlob_sched_detach - detach the probes
 *
 * When it returns, no probe runs and no RCU reader is left that began under
 * one.
 *
 * Context: may sleep.
 */
void tlob_sched_detach(void)
{
	unregister_hooks(ARRAY_SIZE(hooks));
}
