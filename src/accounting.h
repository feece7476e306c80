/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where a task's time goes: one clock per task, charged at every transition,
 * and a window's share of it as a difference. Pure: runs on the host too.
 *
 * The clock only ever moves by tlob_clock_charge(), so the three phases of a
 * window add up to its elapsed time exactly, whatever the events were.
 */
#ifndef _TLOB_ACCOUNTING_H
#define _TLOB_ACCOUNTING_H

#include <linux/types.h>

#include "automaton.h"

/**
 * struct tlob_clock - a task's time by state
 * @last: reading of the last charge, CLOCK_MONOTONIC ns
 * @ns: time charged to each state so far, ns
 * @state: state that the next charge goes to, enum states_tlob
 */
struct tlob_clock {
	u64 last;
	u64 ns[state_max_tlob];
	u8 state;
};

/**
 * struct tlob_span - the interval of a clock that a window covers
 * @start: the clock's reading when the window opened, ns
 * @base: the clock's phases at that time, ns
 */
struct tlob_span {
	u64 start;
	u64 base[state_max_tlob];
};

/**
 * struct tlob_totals - a window's length and where it went, ns
 * @elapsed: length, the sum of @ns
 * @ns: by state
 */
struct tlob_totals {
	u64 elapsed;
	u64 ns[state_max_tlob];
};

/**
 * tlob_clock_charge - charge the time since the last reading
 * @clock: the task's clock
 * @now: CLOCK_MONOTONIC ns; one behind the last reading counts as that
 *
 * Time goes to the state being left, so call it before changing @clock->state.
 * Any context, under the task's lock.
 */
static inline void tlob_clock_charge(struct tlob_clock *clock, u64 now)
{
	/* No index, which UBSAN_BOUNDS would check twice: 4 instructions. */
	u64 *phase = clock->ns + clock->state;

	if ((s64)(now - clock->last) > 0) {
		*phase += now - clock->last;
		clock->last = now;
	}
}

/**
 * tlob_clock_restart - go on in a known state, charging nothing
 * @clock: the task's clock, with no span open
 * @now: CLOCK_MONOTONIC ns; one behind the last reading counts as that
 * @state: where the task is
 */
static inline void tlob_clock_restart(struct tlob_clock *clock, u64 now,
				      enum states_tlob state)
{
	if ((s64)(now - clock->last) > 0)
		clock->last = now;
	clock->state = state;
}

/**
 * tlob_clock_step - charge the time, then take an event
 * @clock: the task's clock
 * @now: CLOCK_MONOTONIC ns
 * @event: what happened to the task
 *
 * Return: true if the model expects @event in the state that was left. If
 * not, the state is the one that @event itself leads to.
 */
static inline bool tlob_clock_step(struct tlob_clock *clock, u64 now,
				   enum events_tlob event)
{
	u8 next = automaton_tlob.function[clock->state][event];

	tlob_clock_charge(clock, now);
	if (next == INVALID_STATE) {
		clock->state = tlob_state_after(event);
		return false;
	}
	clock->state = next;
	return true;
}

/**
 * tlob_clock_revise - the state since some time was another
 * @clock: the task's clock
 * @base: what was charged to the present state until then, ns
 * @state: the state that it was
 *
 * Return: what was charged to @state until then, for another revision, ns.
 */
static inline u64 tlob_clock_revise(struct tlob_clock *clock, u64 base,
				    enum states_tlob state)
{
	u64 wrong = clock->ns[clock->state] - base;

	clock->ns[clock->state] -= wrong;
	clock->ns[state] += wrong;
	clock->state = state;
	return clock->ns[state] - wrong;
}

/**
 * tlob_span_begin - open a span at the clock's last reading
 * @span: the span
 * @clock: the task's clock, just charged
 */
static inline void tlob_span_begin(struct tlob_span *span,
				   const struct tlob_clock *clock)
{
	int i;

	span->start = clock->last;
	for (i = 0; i < state_max_tlob; i++)
		span->base[i] = clock->ns[i];
}

/**
 * tlob_span_elapsed - length of a span up to the clock's last reading
 * @span: the span
 * @clock: the clock that it was opened on
 *
 * Return: ns.
 */
static inline u64 tlob_span_elapsed(const struct tlob_span *span,
				    const struct tlob_clock *clock)
{
	return clock->last - span->start;
}

/**
 * tlob_span_totals - length of a span by state
 * @span: the span
 * @clock: the clock that it was opened on
 * @totals: result, ns
 */
static inline void tlob_span_totals(const struct tlob_span *span,
				    const struct tlob_clock *clock,
				    struct tlob_totals *totals)
{
	int i;

	totals->elapsed = tlob_span_elapsed(span, clock);
	for (i = 0; i < state_max_tlob; i++)
		totals->ns[i] = clock->ns[i] - span->base[i];
}

#endif /* _TLOB_ACCOUNTING_H */
