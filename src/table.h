/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The table of monitored tasks: records found by pid, and the pools that
 * records and windows come from.
 *
 * Records are type-stable while the table exists: a stale reader may find one
 * that is free, or another task's by now, so everybody locks it and then looks
 * whether @task is still the one meant.
 *
 * Lock order: task lock > locks of buckets > pool lists; task lock >
 * hrtimer base. Never two task locks.
 */
#ifndef _TLOB_TABLE_H
#define _TLOB_TABLE_H

#include <linux/bitops.h>
#include <linux/hrtimer.h>
#include <linux/list.h>
#include <linux/rculist_nulls.h>
#include <linux/sched.h>
#include <linux/spinlock.h>

#include "accounting.h"
#include "blame.h"
#include "pool.h"

struct tlob_source;

/* No timer is queued: later than any deadline, also if compared with a sign. */
#define TLOB_UNARMED	((u64)S64_MAX)

/**
 * struct tlob_record - a task that has, or just had, windows open
 * @chain: in the bucket of @pid; RCU
 * @task: whose it is; NULL if it is free
 * @pid: key: the tid when the record was made
 * @nr_open: windows open; 0: idle, kept for the task's next window until the
 *	timer fires or somebody else needs it
 * @lock: the task lock: protects all members but @chain and @by_task
 * @clock: the task's time
 * @guessed: @clock's state was observed from outside and no event has
 *	confirmed it yet
 * @guess_base: what @clock had charged to that state by then, ns
 * @by: who took the CPU at the start of the last wait
 * @by_at: when that was, ns
 * @waker: who woke the task last
 * @waker_at: @clock's last reading before that: not before the start of a window
 *	that was open then, and before that of any later one
 * @windows: the open ones
 * @spare: an idle record's window for its next start
 * @armed: expiry of @timer, ns, or TLOB_UNARMED
 * @keep: a stop leaves @timer alone if it fires no sooner than after this, ns
 * @tgid: the thread group: that of the task when the record was made
 * @timer: fires at the earliest deadline of @windows, or before it
 * @by_task: in the bucket of @task by its address, unless the task leads its
 *	group; under the bucket's lock
 * @item: in the pool
 */
struct tlob_record {
	struct hlist_nulls_node chain;
	struct task_struct *task;
	pid_t pid;
	unsigned int nr_open;
	raw_spinlock_t lock;
	bool guessed;
	struct tlob_clock clock;
	struct hlist_head windows;
	struct tlob_window *spare;
	u64 armed;
	u32 keep;
	pid_t tgid;
	u64 guess_base;
	u64 by_at, waker_at;
	struct tlob_culprit by, waker;
	struct hrtimer timer;
	struct hlist_node by_task;
	struct tlob_pool_item item;
} ____cacheline_aligned;

/**
 * struct tlob_window - one pass of a task through a section
 * @rec: the task's record, NULL if the window is not open; written under the
 *	record's lock
 * @link: in tlob_record::windows
 * @src: what it belongs to
 * @span: what it covers
 * @threshold: its budget, ns
 * @tag: its name among those of its source
 * @sp: user stack pointer at its start
 * @reported: its overrun was, or was muted
 * @muted: its overrun came while RV's monitoring_on was 0
 * @item: in the pool
 */
struct tlob_window {
	struct tlob_record *rec;
	struct hlist_node link;
	struct tlob_source *src;
	struct tlob_span span;
	u64 threshold;
	u64 tag;
	unsigned long sp;
	bool reported;
	bool muted;
	struct tlob_pool_item item;
} ____cacheline_aligned;

struct tlob_bucket {
	struct hlist_nulls_head chain;
	raw_spinlock_t lock;
};

struct tlob_task_bucket {
	struct hlist_head records;
	raw_spinlock_t lock;
};

/**
 * struct tlob_table_counts - one CPU's share of what happened to records
 * @returned: records and windows given back to the pools
 * @idled: records that became idle
 * @unidled: records that ceased to be idle
 */
struct tlob_table_counts {
	unsigned long returned;
	unsigned long idled;
	unsigned long unidled;
};

/**
 * struct tlob_table - the table
 * @pids: a bit per tid that has a record: all that a context switch of other
 *	tasks looks at
 * @buckets: @mask + 1 of them
 * @tasks: likewise, by the address of the task, which execve() leaves alone
 * @mask: of a pid to its bucket
 * @size: records, and as many windows
 * @present: the rest may be used; read and acted upon within an RCU read side
 * @accepting: windows may start; likewise
 * @records: all
 * @windows: all
 * @free_records: pool of @records
 * @free_windows: pool of @windows
 * @counts: per CPU
 *
 * All pointers are set before any probe is attached and stay until no probe
 * and no timer runs.
 */
struct tlob_table {
	unsigned long *pids;
	struct tlob_bucket *buckets;
	struct tlob_task_bucket *tasks;
	unsigned int mask;
	unsigned int size;
	bool present;
	bool accepting;
	struct tlob_record *records;
	struct tlob_window *windows;
	struct tlob_pool free_records;
	struct tlob_pool free_windows;
	struct tlob_table_counts __percpu *counts;
};

extern struct tlob_table tlob_table;

int tlob_table_alloc(unsigned int size,
		     enum hrtimer_restart (*expired)(struct hrtimer *timer));
void tlob_table_free(void);
int tlob_table_add(struct task_struct *task);
bool tlob_table_reclaim(unsigned long seen);
unsigned long tlob_table_available(void);
struct tlob_record *tlob_table_find_swapped(struct task_struct *task);
void tlob_table_release(struct tlob_record *rec);
void tlob_table_release_all(void);

struct tlob_window *tlob_window_pop(void);
void tlob_window_push(struct tlob_window *window);
void tlob_record_arm(struct tlob_record *rec, u64 expiry);
void tlob_record_disarm(struct tlob_record *rec);

/**
 * tlob_table_may_have - whether a task may have a record
 * @task: the task
 *
 * Cheap: one bit.
 *
 * Context: a probe of the scheduler, or an RCU read side in which the table is
 * present.
 * Return: false if it has none.
 */
static __always_inline bool tlob_table_may_have(const struct task_struct *task)
{
	return unlikely(test_bit(task->pid, tlob_table.pids));
}

static inline struct tlob_bucket *tlob_table_bucket(pid_t pid)
{
	return &tlob_table.buckets[pid & tlob_table.mask];
}

/**
 * tlob_table_walk - walk a bucket for the record of a task
 * @task: the task, which probably has one
 *
 * Inline, and without a look at the bit: 10 instructions of a start and a stop
 * less.
 *
 * Context: RCU read side, or interrupts off.
 * Return: the record, to be locked and verified, or NULL.
 */
static __always_inline struct tlob_record *
tlob_table_walk(struct task_struct *task)
{
	struct tlob_bucket *bucket = tlob_table_bucket(task->pid);
	struct hlist_nulls_node *pos;
	struct tlob_record *rec;

again:
	hlist_nulls_for_each_entry_rcu(rec, pos, &bucket->chain, chain)
		if (READ_ONCE(rec->task) == task)
			return rec;
	/* A record moved to another bucket led us there: start over. */
	if (get_nulls_value(pos) != bucket - tlob_table.buckets)
		goto again;
	return NULL;
}

/**
 * tlob_table_find - the record of a task, which probably has none
 * @task: the task
 *
 * Context: RCU read side, or interrupts off.
 * Return: the record, to be locked and verified, or NULL.
 */
static __always_inline struct tlob_record *
tlob_table_find(struct task_struct *task)
{
	return tlob_table_may_have(task) ? tlob_table_walk(task) : NULL;
}

/**
 * tlob_window_get - take a window for a record
 * @rec: the record
 *
 * Context: task lock held.
 * Return: a window, counted in @rec->nr_open and in no list yet; NULL if the
 * pool is empty.
 */
static inline struct tlob_window *tlob_window_get(struct tlob_record *rec)
{
	struct tlob_window *window = rec->spare;

	if (likely(window)) {
		rec->spare = NULL;
		this_cpu_inc(tlob_table.counts->unidled);
	} else {
		window = tlob_window_pop();
		if (!window)
			return NULL;
	}
	WRITE_ONCE(rec->nr_open, rec->nr_open + 1);
	WRITE_ONCE(window->rec, rec);
	return window;
}

/**
 * tlob_window_put - give a window back
 * @rec: its record
 * @window: the window, in no list any more
 *
 * The last one stays with the record, which is idle then.
 *
 * Context: task lock held.
 */
static inline void tlob_window_put(struct tlob_record *rec,
				   struct tlob_window *window)
{
	WRITE_ONCE(window->rec, NULL);
	WRITE_ONCE(rec->nr_open, rec->nr_open - 1);
	if (rec->nr_open) {
		tlob_window_push(window);
		return;
	}
	rec->spare = window;
	this_cpu_inc(tlob_table.counts->idled);
}

#endif /* _TLOB_TABLE_H */
