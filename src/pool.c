// SPDX-License-Identifier: GPL-2.0-only
/*
 * A pool of preallocated objects: a free list per CPU, and stealing.
 *
 * The list locks are leaves: nothing is taken under one, not even another.
 */
#include <linux/cpumask.h>
#include <linux/errno.h>

#include "pool.h"

/**
 * tlob_pool_init - make an empty pool
 * @pool: the pool
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int tlob_pool_init(struct tlob_pool *pool)
{
	int cpu;

	pool->lists = alloc_percpu(struct tlob_pool_list);
	if (!pool->lists)
		return -ENOMEM;
	for_each_possible_cpu(cpu)
		raw_spin_lock_init(&per_cpu_ptr(pool->lists, cpu)->lock);
	return 0;
}

/**
 * tlob_pool_destroy - forget a pool's objects
 * @pool: the pool; the memory of its objects is the caller's
 */
void tlob_pool_destroy(struct tlob_pool *pool)
{
	free_percpu(pool->lists);
	pool->lists = NULL;
}

/**
 * tlob_pool_push - give an object back
 * @pool: the pool
 * @item: the object's member
 *
 * Context: any but NMI; may be called under a task lock.
 */
void tlob_pool_push(struct tlob_pool *pool, struct tlob_pool_item *item)
{
	struct tlob_pool_list *list = raw_cpu_ptr(pool->lists);
	unsigned long flags;

	raw_spin_lock_irqsave(&list->lock, flags);
	item->next = list->head;
	WRITE_ONCE(list->head, item);
	raw_spin_unlock_irqrestore(&list->lock, flags);
}

static struct tlob_pool_item *list_pop(struct tlob_pool_list *list)
{
	struct tlob_pool_item *item;
	unsigned long flags;

	if (!READ_ONCE(list->head))
		return NULL;
	raw_spin_lock_irqsave(&list->lock, flags);
	item = list->head;
	if (item)
		WRITE_ONCE(list->head, item->next);
	raw_spin_unlock_irqrestore(&list->lock, flags);
	return item;
}

/**
 * tlob_pool_pop - take an object
 * @pool: the pool
 *
 * This CPU's list first, then the others'. May miss an object that is given
 * back meanwhile: see tlob_table_reclaim().
 *
 * Context: any but NMI; may be called under a task lock.
 * Return: an object's member, NULL if none was found.
 */
struct tlob_pool_item *tlob_pool_pop(struct tlob_pool *pool)
{
	struct tlob_pool_item *item = list_pop(raw_cpu_ptr(pool->lists));
	int cpu;

	if (item)
		return item;
	for_each_possible_cpu(cpu) {
		item = list_pop(per_cpu_ptr(pool->lists, cpu));
		if (item)
			return item;
	}
	return NULL;
}
