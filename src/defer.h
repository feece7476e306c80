/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Work that comes up where nothing may be waited for, not even a lock of the
 * scheduler, and is done by a thread that is bound to no CPU: the one where it
 * came up may be the one that a task hogs.
 */
#ifndef _TLOB_DEFER_H
#define _TLOB_DEFER_H

#include <linux/workqueue.h>

#include "compat/irq_work.h"

/**
 * struct tlob_deferred - a piece of such work
 * @irq: asks for it
 * @work: does it
 * @urgent: ahead of what has usual priority, so it had better be short
 */
struct tlob_deferred {
	struct irq_work irq;
	struct work_struct work;
	bool urgent;
};

/* Of @name; @fn is of the type work_func_t, @is_urgent a bool. */
#define TLOB_DEFERRED_INIT(name, fn, is_urgent) {			\
	.irq = TLOB_IRQ_WORK_HARD(tlob_deferred_irq),			\
	.work = __WORK_INITIALIZER((name).work, fn),			\
	.urgent = (is_urgent),						\
}

int tlob_defer_init(void);
void tlob_defer_exit(void);
void tlob_defer(struct tlob_deferred *deferred);
void tlob_defer_flush(struct tlob_deferred *deferred);

/* Not to be called by others. */
void tlob_deferred_irq(struct irq_work *irq);

#endif /* _TLOB_DEFER_H */
