/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Emission of the trace events. None of it under a task lock.
 */
#ifndef _TLOB_TRACE_H
#define _TLOB_TRACE_H

#include "automaton.h"
#include "report.h"
#include "trace_tlob.h"

static inline void tlob_trace_event(pid_t pid, u8 from, enum events_tlob event,
				    u8 to)
{
	if (trace_event_tlob_enabled())
		trace_event_tlob(pid, automaton_tlob.state_names[from],
				 automaton_tlob.event_names[event],
				 automaton_tlob.state_names[to],
				 automaton_tlob.final_states[to]);
}

void tlob_trace_anomaly(pid_t pid, u8 state, enum events_tlob event);
void tlob_trace_violation(const struct tlob_report *report);
void tlob_trace_done(const struct tlob_report *report);

#endif /* _TLOB_TRACE_H */
