/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trace events of tlob, in RV's system and with RV's names.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM rv

#if !defined(_TLOB_TRACE_TLOB_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TLOB_TRACE_TLOB_H

#include <linux/tracepoint.h>

#include "report.h"

/*
 * A string field: what __string() and __assign_str() make, without the latter,
 * whose arguments changed in 6.10.
 */
#ifndef tlob_string
#define tlob_string(field, src)	__dynamic_array(char, field, strlen(src) + 1)
#define tlob_assign(field, src)						\
	memcpy(__get_dynamic_array(field), src,				\
	       __get_dynamic_array_len(field))
#define tlob_culprit_name(culprit)					\
	((culprit)->comm[0] || (culprit)->pid ? (culprit)->comm : "-")
#endif

TRACE_EVENT(event_tlob,
	TP_PROTO(int id, const char *state, const char *event,
		 const char *next_state, bool final_state),
	TP_ARGS(id, state, event, next_state, final_state),
	TP_STRUCT__entry(
		__field(int, id)
		tlob_string(state, state)
		tlob_string(event, event)
		tlob_string(next_state, next_state)
		__field(bool, final_state)
	),
	TP_fast_assign(
		__entry->id = id;
		tlob_assign(state, state);
		tlob_assign(event, event);
		tlob_assign(next_state, next_state);
		__entry->final_state = final_state;
	),
	TP_printk("%d: %s x %s -> %s%s", __entry->id, __get_str(state),
		  __get_str(event), __get_str(next_state),
		  __entry->final_state ? " (final)" : "")
);

TRACE_EVENT(error_tlob,
	TP_PROTO(int id, const char *state, const char *event),
	TP_ARGS(id, state, event),
	TP_STRUCT__entry(
		__field(int, id)
		tlob_string(state, state)
		tlob_string(event, event)
	),
	TP_fast_assign(
		__entry->id = id;
		tlob_assign(state, state);
		tlob_assign(event, event);
	),
	TP_printk("%d: event %s not expected in the state %s", __entry->id,
		  __get_str(event), __get_str(state))
);

TRACE_EVENT(error_env_tlob,
	TP_PROTO(int id, const char *state, const char *event, const char *env),
	TP_ARGS(id, state, event, env),
	TP_STRUCT__entry(
		__field(int, id)
		tlob_string(state, state)
		tlob_string(event, event)
		tlob_string(env, env)
	),
	TP_fast_assign(
		__entry->id = id;
		tlob_assign(state, state);
		tlob_assign(event, event);
		tlob_assign(env, env);
	),
	TP_printk("%d: event %s not expected in the state %s with env %s",
		  __entry->id, __get_str(event), __get_str(state),
		  __get_str(env))
);

DECLARE_EVENT_CLASS(tlob_window,
	TP_PROTO(const struct tlob_report *r, const char *state,
		 const char *binding),
	TP_ARGS(r, state, binding),
	TP_STRUCT__entry(
		__field(int, id)
		__field(u64, threshold_ns)
		__field(u64, running_ns)
		__field(u64, waiting_ns)
		__field(u64, sleeping_ns)
		__field(u64, elapsed_ns)
		tlob_string(binding, binding)
		__field(int, tgid)
		tlob_string(comm, r->comm)
		tlob_string(state, state)
		__field(int, by_pid)
		tlob_string(by_comm, tlob_culprit_name(&r->by))
		__field(int, waker_pid)
		tlob_string(waker_comm, tlob_culprit_name(&r->waker))
	),
	TP_fast_assign(
		__entry->id = r->pid;
		__entry->threshold_ns = r->threshold;
		__entry->running_ns = r->totals.ns[running_tlob];
		__entry->waiting_ns = r->totals.ns[waiting_tlob];
		__entry->sleeping_ns = r->totals.ns[sleeping_tlob];
		__entry->elapsed_ns = r->totals.elapsed;
		tlob_assign(binding, binding);
		__entry->tgid = r->tgid;
		tlob_assign(comm, r->comm);
		tlob_assign(state, state);
		__entry->by_pid = r->by.pid;
		tlob_assign(by_comm, tlob_culprit_name(&r->by));
		__entry->waker_pid = r->waker.pid;
		tlob_assign(waker_comm, tlob_culprit_name(&r->waker));
	),
	TP_printk("pid=%d threshold_ns=%llu running_ns=%llu waiting_ns=%llu sleeping_ns=%llu elapsed_ns=%llu binding=%s tgid=%d comm=%s state=%s by=%s:%d waker=%s:%d",
		  __entry->id, __entry->threshold_ns, __entry->running_ns,
		  __entry->waiting_ns, __entry->sleeping_ns,
		  __entry->elapsed_ns, __get_str(binding), __entry->tgid,
		  __get_str(comm), __get_str(state), __get_str(by_comm),
		  __entry->by_pid, __get_str(waker_comm), __entry->waker_pid)
);

DEFINE_EVENT(tlob_window, detail_env_tlob,
	TP_PROTO(const struct tlob_report *r, const char *state,
		 const char *binding),
	TP_ARGS(r, state, binding)
);

DEFINE_EVENT(tlob_window, done_tlob,
	TP_PROTO(const struct tlob_report *r, const char *state,
		 const char *binding),
	TP_ARGS(r, state, binding)
);

#define TLOB_STACK_MAX	16

/* All frames in every event, so that stock tools can print it; 0 is no frame. */
TRACE_EVENT(stack_tlob,
	TP_PROTO(int id, unsigned int nr, const unsigned long *frames),
	TP_ARGS(id, nr, frames),
	TP_STRUCT__entry(
		__field(int, id)
		__field(u32, nr)
		__array(unsigned long, frames, TLOB_STACK_MAX)
	),
	TP_fast_assign(
		__entry->id = id;
		__entry->nr = nr;
		memcpy(__entry->frames, frames, sizeof(__entry->frames));
	),
	TP_printk("%d: nr=%u %pS %pS %pS %pS %pS %pS %pS %pS %pS %pS %pS %pS %pS %pS %pS %pS",
		  __entry->id, __entry->nr,
		  (void *)__entry->frames[0], (void *)__entry->frames[1],
		  (void *)__entry->frames[2], (void *)__entry->frames[3],
		  (void *)__entry->frames[4], (void *)__entry->frames[5],
		  (void *)__entry->frames[6], (void *)__entry->frames[7],
		  (void *)__entry->frames[8], (void *)__entry->frames[9],
		  (void *)__entry->frames[10], (void *)__entry->frames[11],
		  (void *)__entry->frames[12], (void *)__entry->frames[13],
		  (void *)__entry->frames[14], (void *)__entry->frames[15])
);

#endif /* _TLOB_TRACE_TLOB_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace_tlob
#include <trace/define_trace.h>
