// SPDX-License-Identifier: GPL-2.0-only
/*
 * Deferred work, see defer.h: by an interrupt, where waking a worker takes no
 * lock that the one who asks may hold, to a work queue of all CPUs.
 */
#include <linux/errno.h>
#include <linux/kernel.h>

#include "defer.h"

static struct workqueue_struct *queue, *urgent_queue;

/* Hard irq, RT too. */
void tlob_deferred_irq(struct irq_work *irq)
{
	struct tlob_deferred *deferred =
		container_of(irq, struct tlob_deferred, irq);

	queue_work(deferred->urgent ? urgent_queue : queue, &deferred->work);
}

/**
 * tlob_defer - have the work done, once more if it is being done
 * @deferred: the work
 *
 * Context: any. Fully ordered: the work sees what was written before.
 */
void tlob_defer(struct tlob_deferred *deferred)
{
	irq_work_queue(&deferred->irq);
}

/**
 * tlob_defer_flush - wait until work that was asked for is done
 * @deferred: the work
 *
 * Context: may sleep.
 */
void tlob_defer_flush(struct tlob_deferred *deferred)
{
	irq_work_sync(&deferred->irq);
	flush_work(&deferred->work);
}

/**
 * tlob_defer_init - make the work queues
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int tlob_defer_init(void)
{
	queue = alloc_workqueue("tlob", WQ_UNBOUND, 0);
	if (!queue)
		return -ENOMEM;
	urgent_queue = alloc_workqueue("tlob_urgent", WQ_UNBOUND | WQ_HIGHPRI,
				       0);
	if (!urgent_queue) {
		destroy_workqueue(queue);
		return -ENOMEM;
	}
	return 0;
}

/**
 * tlob_defer_exit - destroy them; all work was flushed and none comes up
 *
 * Context: may sleep.
 */
void tlob_defer_exit(void)
{
	destroy_workqueue(urgent_queue);
	destroy_workqueue(queue);
}
