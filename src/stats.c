// SPDX-License-Identifier: GPL-2.0-only
/*
 * Per-CPU counters of a source and their sums.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/minmax.h>

#include "stats.h"

static const char * const counter_names[TLOB_NR_COUNTERS] = {
	[TLOB_STARTED] = "started",
	[TLOB_STOPPED] = "stopped",
	[TLOB_RESTARTED] = "restarted",
	[TLOB_EXITED] = "exited",
	[TLOB_EXECED] = "execed",
	[TLOB_CANCELLED] = "cancelled",
	[TLOB_VIOLATIONS] = "violations",
	[TLOB_MISSED_POOL] = "missed_pool",
	[TLOB_UNMATCHED_STOPS] = "unmatched_stops",
	[TLOB_ANOMALIES] = "anomalies",
};

/**
 * tlob_stats_init - nothing counted yet
 * @sum: counters
 */
void tlob_stats_init(struct tlob_stats *sum)
{
	*sum = (struct tlob_stats) { .min = U64_MAX };
}

/**
 * tlob_stats_alloc - allocate the counters of a source
 * @src: the source
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int tlob_stats_alloc(struct tlob_source *src)
{
	int cpu;

	src->stats = alloc_percpu(struct tlob_stats);
	src->hist = alloc_percpu(struct tlob_hist);
	if (!src->stats || !src->hist) {
		tlob_stats_free(src);
		return -ENOMEM;
	}
	for_each_possible_cpu(cpu)
		tlob_stats_init(per_cpu_ptr(src->stats, cpu));
	return 0;
}

/**
 * tlob_stats_free - free the counters of a source
 * @src: a source that no window, no probe and no RCU reader refers to
 */
void tlob_stats_free(struct tlob_source *src)
{
	free_percpu(src->hist);
	free_percpu(src->stats);
	src->hist = NULL;
	src->stats = NULL;
}

static u64 sum_counter(const struct tlob_source *src, enum tlob_counter counter)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu_ptr(src->stats, cpu)->count[counter]);
	return sum;
}

/**
 * tlob_stats_sum - sum the counters of a source over the CPUs
 * @src: the source
 * @sum: result
 *
 * Exact when no window of @src starts or ends meanwhile. Otherwise the ends are
 * never more than the starts.
 */
void tlob_stats_sum(const struct tlob_source *src, struct tlob_stats *sum)
{
	int i, cpu;

	tlob_stats_init(sum);
	for (i = TLOB_FIRST_END; i < TLOB_NR_COUNTERS; i++)
		sum->count[i] = sum_counter(src, i);
	/*
	 * Ends before starts. Pairs with the task lock: a window's start is
	 * counted before one critical section ends, its end in a later one.
	 */
	smp_rmb();
	sum->count[TLOB_STARTED] = sum_counter(src, TLOB_STARTED);

	for_each_possible_cpu(cpu) {
		const struct tlob_stats *stats = per_cpu_ptr(src->stats, cpu);

		sum->min = min(sum->min, READ_ONCE(stats->min));
		sum->max = max(sum->max, READ_ONCE(stats->max));
		sum->sum += READ_ONCE(stats->sum);
		for (i = 0; i < state_max_tlob; i++)
			sum->ns[i] += READ_ONCE(stats->ns[i]);
	}
}

/**
 * tlob_stats_add - add one sum to another
 * @sum: sum to add to
 * @more: what to add
 */
void tlob_stats_add(struct tlob_stats *sum, const struct tlob_stats *more)
{
	int i;

	for (i = 0; i < TLOB_NR_COUNTERS; i++)
		sum->count[i] += more->count[i];
	sum->min = min(sum->min, more->min);
	sum->max = max(sum->max, more->max);
	sum->sum += more->sum;
	for (i = 0; i < state_max_tlob; i++)
		sum->ns[i] += more->ns[i];
}

/**
 * tlob_stats_show - print a line of `stats`
 * @m: the file
 * @label: the source's name
 * @sum: its counters
 */
void tlob_stats_show(struct seq_file *m, const char *label,
		     const struct tlob_stats *sum)
{
	u64 open = sum->count[TLOB_STARTED];
	int i;

	seq_printf(m, "binding=%s", label);
	for (i = 0; i < TLOB_NR_COUNTERS; i++) {
		seq_printf(m, " %s=%llu", counter_names[i], sum->count[i]);
		if (i >= TLOB_FIRST_END && i <= TLOB_LAST_END)
			open -= sum->count[i];
		if (i == TLOB_LAST_END)
			seq_printf(m, " open=%llu", open);
	}
	seq_printf(m, " min_ns=%llu max_ns=%llu sum_ns=%llu",
		   sum->count[TLOB_STOPPED] && sum->min != U64_MAX ? sum->min : 0,
		   sum->max, sum->sum);
	seq_printf(m, " running_ns=%llu waiting_ns=%llu sleeping_ns=%llu\n",
		   sum->ns[running_tlob], sum->ns[waiting_tlob],
		   sum->ns[sleeping_tlob]);
}

/**
 * tlob_stats_show_hist - print the lines of `hist` for a source
 * @m: the file
 * @src: the source
 *
 * Empty buckets are left out.
 */
void tlob_stats_show_hist(struct seq_file *m, const struct tlob_source *src)
{
	unsigned int i;

	for (i = 0; i < TLOB_HIST_BUCKETS; i++) {
		u64 sum = 0;
		int cpu;

		for_each_possible_cpu(cpu)
			sum += READ_ONCE(per_cpu_ptr(src->hist, cpu)->count[i]);
		if (sum)
			seq_printf(m, "%s %llu %llu %llu\n", src->label,
				   tlob_hist_low(i), tlob_hist_high(i), sum);
	}
}
