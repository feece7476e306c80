// SPDX-License-Identifier: GPL-2.0-only
/*
 * Emission of the trace events.
 */
#include <linux/kernel.h>
#include <linux/preempt.h>
#include <linux/stacktrace.h>

#define CREATE_TRACE_POINTS
#include "trace.h"

/**
 * tlob_trace_anomaly - an event that the model does not expect
 * @pid: the task's tid
 * @state: the state that it was in
 * @event: the event
 *
 * Context: any but NMI, no task lock held.
 */
void tlob_trace_anomaly(pid_t pid, u8 state, enum events_tlob event)
{
	trace_error_tlob(pid, automaton_tlob.state_names[state],
			 automaton_tlob.event_names[event]);
}

/* The binding as events have it: with the window's tag if it has one. */
#define LABEL_MAX	(sizeof("dev:0x") + 16)

static const char *label_of(const struct tlob_report *report, char *buf)
{
	if (!report->src->tagged)
		return report->src->event_label;
	snprintf(buf, LABEL_MAX, "%s:0x%llx", report->src->event_label,
		 report->tag);
	return buf;
}

/* The stack of a task that is off the CPU; best effort: it may come back. */
static void trace_stack(const struct tlob_report *report)
{
#ifdef TLOB_HAVE_STACK_TRACE_SAVE_TSK
	unsigned long frames[TLOB_STACK_MAX] = {};
	unsigned int nr;

	if (report->state == running_tlob || !trace_stack_tlob_enabled())
		return;
	nr = stack_trace_save_tsk(report->task, frames, TLOB_STACK_MAX, 0);
	if (nr)
		trace_stack_tlob(report->pid, nr, frames);
#endif
}

/**
 * tlob_trace_violation - a window is over its budget
 * @report: the window
 *
 * The two events stand next to each other in the CPU's buffer, but for those of
 * interrupts; the stack comes behind them.
 *
 * Context: any but NMI, no task lock held, RCU read side for @report's strings.
 */
void tlob_trace_violation(const struct tlob_report *report)
{
	const char *state = automaton_tlob.state_names[report->state];
	char env[sizeof("clk_elapsed=") + 20];
	char label[LABEL_MAX];

	preempt_disable_notrace();
	if (trace_error_env_tlob_enabled()) {
		snprintf(env, sizeof(env), "%s=%llu",
			 automaton_tlob.env_names[clk_elapsed_tlob],
			 report->totals.elapsed);
		trace_error_env_tlob(report->pid, state, "budget_exceeded",
				     env);
	}
	if (trace_detail_env_tlob_enabled())
		trace_detail_env_tlob(report, state, label_of(report, label));
	trace_stack(report);
	preempt_enable_notrace();
}

/**
 * tlob_trace_done - a window that was over its budget reached its stop
 * @report: the window
 *
 * Context: as tlob_trace_violation().
 */
void tlob_trace_done(const struct tlob_report *report)
{
	char label[LABEL_MAX];

	if (trace_done_tlob_enabled())
		trace_done_tlob(report,
				automaton_tlob.state_names[report->state],
				label_of(report, label));
}
