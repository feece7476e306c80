/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is counted for each source of windows.
 */
#ifndef _TLOB_STATS_H
#define _TLOB_STATS_H

#include <linux/percpu.h>
#include <linux/seq_file.h>
#include <linux/types.h>

#include "accounting.h"
#include "hist.h"

struct tlob_report;

/*
 * Identity: STARTED == STOPPED + RESTARTED + EXITED + EXECED + CANCELLED + the
 * windows open. The five ends stand together, in the order of the file.
 */
enum tlob_counter {
	TLOB_STARTED,
	TLOB_STOPPED,
	TLOB_RESTARTED,
	TLOB_EXITED,
	TLOB_EXECED,
	TLOB_CANCELLED,
	TLOB_VIOLATIONS,
	TLOB_MISSED_POOL,
	TLOB_UNMATCHED_STOPS,
	TLOB_ANOMALIES,
	TLOB_NR_COUNTERS,
};

#define TLOB_FIRST_END	TLOB_STOPPED
#define TLOB_LAST_END	TLOB_CANCELLED

/**
 * struct tlob_stats - one CPU's share of a source's counters
 * @count: by enum tlob_counter
 * @min: shortest stopped window, ns; U64_MAX before the first
 * @max: longest stopped window, ns
 * @sum: over the stopped windows, ns
 * @ns: over the stopped windows by state, ns
 */
struct tlob_stats {
	u64 count[TLOB_NR_COUNTERS];
	u64 min, max, sum;
	u64 ns[state_max_tlob];
};

/* What a start does that finds a window of the same source open. */
enum tlob_reopen {
	TLOB_REOPEN_RESTARTS,	/* offset stops only */
	TLOB_REOPEN_NESTS,	/* with a %return stop */
	TLOB_REOPEN_REFUSED,	/* not a binding */
};

/**
 * struct tlob_source - what windows belong to: a binding, say
 * @label: its name in files
 * @event_label: its name in trace events: the end of @label if that is too long
 *	for an event
 * @reopen: what a second start does
 * @tagged: its windows have tags, which stand behind @event_label in events
 * @closed: no window of it may start; read and acted upon within an RCU read
 *	side
 * @overrun: called for each overrun, or NULL; any context but NMI, no task lock
 *	held, RCU read side
 * @stats: per-CPU counters
 * @hist: per-CPU counts of the lengths of stopped windows
 *
 * Freed only after an RCU grace period since its last window ended.
 */
struct tlob_source {
	const char *label;
	const char *event_label;
	enum tlob_reopen reopen;
	bool tagged;
	bool closed;
	void (*overrun)(struct tlob_source *src, u64 tag,
			const struct tlob_report *report);
	struct tlob_stats __percpu *stats;
	struct tlob_hist __percpu *hist;
};

/* Any context. */
static inline void tlob_count(const struct tlob_source *src,
			      enum tlob_counter counter)
{
	this_cpu_inc(src->stats->count[counter]);
}

/**
 * tlob_stats_stopped - add a window that reached its stop
 * @src: the window's source
 * @totals: the window's length, ns
 *
 * Inline: @totals need not be made in memory then, which 30 instructions of each
 * stop were for.
 *
 * Context: any, interrupts off.
 */
static __always_inline void tlob_stats_stopped(const struct tlob_source *src,
					       const struct tlob_totals *totals)
{
	struct tlob_stats *stats = this_cpu_ptr(src->stats);
	int i;

	if (totals->elapsed < stats->min)
		WRITE_ONCE(stats->min, totals->elapsed);
	if (totals->elapsed > stats->max)
		WRITE_ONCE(stats->max, totals->elapsed);
	WRITE_ONCE(stats->sum, stats->sum + totals->elapsed);
	for (i = 0; i < state_max_tlob; i++)
		WRITE_ONCE(stats->ns[i], stats->ns[i] + totals->ns[i]);
	this_cpu_inc(src->hist->count[tlob_hist_bucket(totals->elapsed)]);
}

int tlob_stats_alloc(struct tlob_source *src);
void tlob_stats_free(struct tlob_source *src);

void tlob_stats_sum(const struct tlob_source *src, struct tlob_stats *sum);
void tlob_stats_add(struct tlob_stats *sum, const struct tlob_stats *more);
void tlob_stats_init(struct tlob_stats *sum);
void tlob_stats_show(struct seq_file *m, const char *label,
		     const struct tlob_stats *sum);
void tlob_stats_show_hist(struct seq_file *m, const struct tlob_source *src);

#endif /* _TLOB_STATS_H */
