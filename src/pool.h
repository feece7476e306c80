/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A pool of preallocated objects: a free list per CPU, and stealing.
 */
#ifndef _TLOB_POOL_H
#define _TLOB_POOL_H

#include <linux/percpu.h>
#include <linux/spinlock.h>

/**
 * struct tlob_pool_item - member of each pooled object
 * @next: next free one, under the list's lock
 */
struct tlob_pool_item {
	struct tlob_pool_item *next;
};

struct tlob_pool_list {
	raw_spinlock_t lock;
	struct tlob_pool_item *head;
};

struct tlob_pool {
	struct tlob_pool_list __percpu *lists;
};

int tlob_pool_init(struct tlob_pool *pool);
void tlob_pool_destroy(struct tlob_pool *pool);
void tlob_pool_push(struct tlob_pool *pool, struct tlob_pool_item *item);
struct tlob_pool_item *tlob_pool_pop(struct tlob_pool *pool);

#endif /* _TLOB_POOL_H */
