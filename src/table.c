// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of monitored tasks.
 */
#include <linux/hash.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/threads.h>
#include <linux/vmalloc.h>

#include "compat/hrtimer.h"
#include "table.h"

struct tlob_table tlob_table __read_mostly;

static struct tlob_task_bucket *task_bucket(const struct task_struct *task)
{
	return &tlob_table.tasks[hash_ptr(task, ilog2(tlob_table.mask + 1))];
}

/**
 * tlob_table_alloc - allocate the table and its pools
 * @size: records and windows, 1 to 65536
 * @expired: callback of the records' timers
 *
 * Context: may sleep; no probe is attached.
 * Return: 0 or -ENOMEM.
 */
int tlob_table_alloc(unsigned int size,
		     enum hrtimer_restart (*expired)(struct hrtimer *timer))
{
	struct tlob_table *t = &tlob_table;
	unsigned int i, nr_buckets = roundup_pow_of_two(2 * size);

	t->size = size;
	t->mask = nr_buckets - 1;
	t->pids = kvcalloc(BITS_TO_LONGS(PID_MAX_LIMIT), sizeof(long),
			   GFP_KERNEL);
	t->buckets = kvcalloc(nr_buckets, sizeof(*t->buckets), GFP_KERNEL);
	t->tasks = kvcalloc(nr_buckets, sizeof(*t->tasks), GFP_KERNEL);
	t->records = kvcalloc(size, sizeof(*t->records), GFP_KERNEL);
	t->windows = kvcalloc(size, sizeof(*t->windows), GFP_KERNEL);
	t->counts = alloc_percpu(struct tlob_table_counts);
	if (!t->pids || !t->buckets || !t->tasks || !t->records ||
	    !t->windows || !t->counts || tlob_pool_init(&t->free_records) ||
	    tlob_pool_init(&t->free_windows)) {
		tlob_table_free();
		return -ENOMEM;
	}

	for (i = 0; i < nr_buckets; i++) {
		INIT_HLIST_NULLS_HEAD(&t->buckets[i].chain, i);
		raw_spin_lock_init(&t->buckets[i].lock);
		INIT_HLIST_HEAD(&t->tasks[i].records);
		raw_spin_lock_init(&t->tasks[i].lock);
	}
	for (i = 0; i < size; i++) {
		struct tlob_record *rec = &t->records[i];

		raw_spin_lock_init(&rec->lock);
		INIT_HLIST_HEAD(&rec->windows);
		INIT_HLIST_NODE(&rec->by_task);
		rec->armed = TLOB_UNARMED;
		tlob_hrtimer_setup(&rec->timer, expired);
		tlob_pool_push(&t->free_records, &rec->item);
		tlob_pool_push(&t->free_windows, &t->windows[i].item);
	}
	return 0;
}

/**
 * tlob_table_free - free the table
 *
 * Waits for timers that still run. Also undoes half a tlob_table_alloc().
 *
 * Context: may sleep; all records were released, no probe is attached and no
 * reader is left.
 */
void tlob_table_free(void)
{
	struct tlob_table *t = &tlob_table;
	unsigned int i;

	if (t->free_windows.lists) {
		for (i = 0; i < t->size; i++)
			hrtimer_cancel(&t->records[i].timer);
	}
	tlob_pool_destroy(&t->free_windows);
	tlob_pool_destroy(&t->free_records);
	free_percpu(t->counts);
	kvfree(t->windows);
	kvfree(t->records);
	kvfree(t->tasks);
	kvfree(t->buckets);
	kvfree(t->pids);
	memset(t, 0, sizeof(*t));
}

/**
 * tlob_table_find_swapped - the record of a leader that was none
 * @task: the leader of a thread group
 *
 * execve() of another thread gives it the leader's tid, long before it tells so.
 * If it fails after that, the thread exits under this tid. Its record still has
 * the old one.
 *
 * Context: RCU read side, or interrupts off.
 * Return: the record, to be locked and verified, or NULL.
 */
struct tlob_record *tlob_table_find_swapped(struct task_struct *task)
{
	struct tlob_task_bucket *bucket = task_bucket(task);
	struct tlob_record *rec;
	unsigned long flags;

	if (hlist_empty(&bucket->records))
		return NULL;
	raw_spin_lock_irqsave(&bucket->lock, flags);
	hlist_for_each_entry(rec, &bucket->records, by_task) {
		if (READ_ONCE(rec->task) == task)
			break;
	}
	raw_spin_unlock_irqrestore(&bucket->lock, flags);
	return rec;
}

/**
 * tlob_table_available - count of what was given back or left idle so far
 *
 * Return: a number that differs from an earlier one if a record or a window
 * became available between.
 */
unsigned long tlob_table_available(void)
{
	unsigned long sum = 0;
	int cpu;

	for_each_possible_cpu(cpu) {
		struct tlob_table_counts *counts =
			per_cpu_ptr(tlob_table.counts, cpu);

		sum += READ_ONCE(counts->returned) + READ_ONCE(counts->idled);
	}
	return sum;
}

/* Upper bound of the records that are idle, 0 only if none is. */
static long idle_records(void)
{
	unsigned long sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum -= READ_ONCE(per_cpu_ptr(tlob_table.counts, cpu)->unidled);
	/* Pairs with the task lock: a record goes idle before it ceases to. */
	smp_rmb();
	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu_ptr(tlob_table.counts, cpu)->idled);
	return sum;
}

static struct tlob_record *pop_record(void)
{
	struct tlob_pool_item *item = tlob_pool_pop(&tlob_table.free_records);

	return item ? container_of(item, struct tlob_record, item) : NULL;
}

/**
 * tlob_window_pop - take a window from the pool
 *
 * Context: any but NMI.
 * Return: the window, NULL if the pool is empty.
 */
struct tlob_window *tlob_window_pop(void)
{
	struct tlob_pool_item *item = tlob_pool_pop(&tlob_table.free_windows);

	return item ? container_of(item, struct tlob_window, item) : NULL;
}

/**
 * tlob_window_push - give a window to the pool
 * @window: the window
 *
 * Context: any but NMI.
 */
void tlob_window_push(struct tlob_window *window)
{
	tlob_pool_push(&tlob_table.free_windows, &window->item);
	this_cpu_inc(tlob_table.counts->returned);
}

static void push_record(struct tlob_record *rec)
{
	tlob_pool_push(&tlob_table.free_records, &rec->item);
	this_cpu_inc(tlob_table.counts->returned);
}

/* Under the task lock. False: the task has a record. */
static bool link_record(struct tlob_record *rec)
{
	struct tlob_bucket *bucket = tlob_table_bucket(rec->pid);
	struct hlist_nulls_node *pos;
	struct tlob_record *other;
	bool linked = false;

	raw_spin_lock(&bucket->lock);
	hlist_nulls_for_each_entry(other, pos, &bucket->chain, chain) {
		if (other->task == rec->task)
			goto out;
	}
	hlist_nulls_add_head_rcu(&rec->chain, &bucket->chain);
	set_bit(rec->pid, tlob_table.pids);
	linked = true;
out:
	raw_spin_unlock(&bucket->lock);

	if (linked && rec->pid != rec->tgid) {
		struct tlob_task_bucket *tasks = task_bucket(rec->task);

		raw_spin_lock(&tasks->lock);
		hlist_add_head(&rec->by_task, &tasks->records);
		raw_spin_unlock(&tasks->lock);
	}
	return linked;
}

/* Under the task lock. */
static void unlink_record(struct tlob_record *rec)
{
	struct tlob_bucket *bucket = tlob_table_bucket(rec->pid);
	struct hlist_nulls_node *pos;
	struct tlob_record *other;
	bool shared = false;

	raw_spin_lock(&bucket->lock);
	hlist_nulls_del_rcu(&rec->chain);
	/* A tid that execve() gave away may have a new owner already. */
	hlist_nulls_for_each_entry(other, pos, &bucket->chain, chain) {
		if (other->pid == rec->pid)
			shared = true;
	}
	if (!shared)
		clear_bit(rec->pid, tlob_table.pids);
	raw_spin_unlock(&bucket->lock);

	if (rec->pid != rec->tgid) {
		struct tlob_task_bucket *tasks = task_bucket(rec->task);

		raw_spin_lock(&tasks->lock);
		hlist_del_init(&rec->by_task);
		raw_spin_unlock(&tasks->lock);
	}
}

/**
 * tlob_table_add - make an idle record for a task
 * @task: a task that cannot go away
 *
 * The caller looks it up again: it may be gone by then. If the task is not
 * current, and execve() gave it another tid meanwhile, it is.
 *
 * Context: any but scheduler probes; no task lock held.
 * Return: 0 also if it has one; -ENOSPC if the pools are empty; -ESRCH if the task
 * is exiting, so that nobody may come who would free its record.
 */
int tlob_table_add(struct task_struct *task)
{
	struct tlob_window *window;
	struct tlob_record *rec;
	unsigned long flags;
	bool linked, exiting;
	int ret = 0;

	/* Not preempted while what was taken is in no count. */
	local_irq_save(flags);
	/* Windows before records: who has a window will find a record. */
	window = tlob_window_pop();
	if (!window) {
		ret = -ENOSPC;
		goto out;
	}
	rec = pop_record();
	if (!rec) {
		ret = -ENOSPC;
		goto push_window;
	}

	raw_spin_lock(&rec->lock);
	rec->pid = task->pid;
	rec->tgid = task->tgid;
	rec->guessed = false;
	rec->clock = (struct tlob_clock) { .state = running_tlob };
	rec->by_at = 0;
	rec->waker_at = 0;
	WRITE_ONCE(rec->task, task);
	linked = link_record(rec);
	if (linked) {
		rec->spare = window;
		this_cpu_inc(tlob_table.counts->idled);
		/*
		 * Pairs with the locks that execve() takes between swapping the
		 * tids and telling so, and with the barriers from setting
		 * PF_EXITING to the exit probe: they find the record, or we see
		 * the swap or the flag.
		 */
		smp_mb();
		exiting = READ_ONCE(task->flags) & PF_EXITING;
		if (exiting || READ_ONCE(task->pid) != rec->pid)
			tlob_table_release(rec);
		if (exiting)
			ret = -ESRCH;
		raw_spin_unlock(&rec->lock);
		local_irq_restore(flags);
		return ret;
	}
	WRITE_ONCE(rec->task, NULL);
	raw_spin_unlock(&rec->lock);

	push_record(rec);
push_window:
	tlob_window_push(window);
out:
	local_irq_restore(flags);
	return ret;
}

/**
 * tlob_table_release - free a record that has no windows
 * @rec: an idle record
 *
 * Context: task lock held.
 */
void tlob_table_release(struct tlob_record *rec)
{
	struct tlob_window *spare = rec->spare;

	tlob_record_disarm(rec);
	unlink_record(rec);
	rec->spare = NULL;
	WRITE_ONCE(rec->task, NULL);
	push_record(rec);
	tlob_window_push(spare);
	/* Not before: until here others know of it and try again. */
	this_cpu_inc(tlob_table.counts->unidled);
}

/**
 * tlob_table_reclaim - free an idle record for somebody who found none
 * @seen: tlob_table_available() from before the search
 *
 * Context: any but scheduler probes; no task lock held.
 * Return: true if the search is worth repeating; false if at one moment since
 * @seen was read all windows were open, or taken by somebody about to open one.
 */
bool tlob_table_reclaim(unsigned long seen)
{
	static unsigned int cursor;
	unsigned int i, at = READ_ONCE(cursor);
	unsigned long flags;

	if (idle_records()) {
		for (i = 0; i < tlob_table.size; i++) {
			struct tlob_record *rec;
			bool idle;

			if (++at >= tlob_table.size)
				at = 0;
			rec = &tlob_table.records[at];
			if (!READ_ONCE(rec->task) || READ_ONCE(rec->nr_open))
				continue;
			raw_spin_lock_irqsave(&rec->lock, flags);
			idle = rec->task && !rec->nr_open;
			if (idle)
				tlob_table_release(rec);
			raw_spin_unlock_irqrestore(&rec->lock, flags);
			if (idle) {
				WRITE_ONCE(cursor, at);
				return true;
			}
		}
		/* Somebody is at it, under its lock. */
		if (idle_records())
			return true;
	}
	/* Pairs with the locks under which objects are given back. */
	smp_rmb();
	return tlob_table_available() != seen;
}

/**
 * tlob_table_release_all - free all records
 *
 * Context: may sleep; no window is open and none can open.
 */
void tlob_table_release_all(void)
{
	unsigned int i;

	for (i = 0; i < tlob_table.size; i++) {
		struct tlob_record *rec = &tlob_table.records[i];
		unsigned long flags;

		raw_spin_lock_irqsave(&rec->lock, flags);
		if (rec->task && !WARN_ON_ONCE(rec->nr_open))
			tlob_table_release(rec);
		raw_spin_unlock_irqrestore(&rec->lock, flags);
	}
}

/**
 * tlob_record_arm - have the record's timer fire
 * @rec: the record
 * @expiry: CLOCK_MONOTONIC ns
 *
 * Context: task lock held; not from scheduler probes.
 */
void tlob_record_arm(struct tlob_record *rec, u64 expiry)
{
	rec->armed = expiry;
	hrtimer_start(&rec->timer, ns_to_ktime(expiry), HRTIMER_MODE_ABS_HARD);
}

/**
 * tlob_record_disarm - have the record's timer not fire
 * @rec: the record
 *
 * Does not wait: a callback that runs already finds nothing to do; if it was armed
 * since that began, it fires once more.
 *
 * Context: task lock held; not from scheduler probes.
 */
void tlob_record_disarm(struct tlob_record *rec)
{
	if (rec->armed == TLOB_UNARMED)
		return;
	hrtimer_try_to_cancel(&rec->timer);
	rec->armed = TLOB_UNARMED;
}
