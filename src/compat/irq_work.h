/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _TLOB_COMPAT_IRQ_WORK_H
#define _TLOB_COMPAT_IRQ_WORK_H

#include <linux/irq_work.h>

/* Runs in hard irq context on RT, too. The macro came in 5.11, the flag in 5.4. */
#ifdef IRQ_WORK_INIT_HARD
#define TLOB_IRQ_WORK_HARD(fn)	IRQ_WORK_INIT_HARD(fn)
#else
#define TLOB_IRQ_WORK_HARD(fn) {					\
	.flags = ATOMIC_INIT(IRQ_WORK_HARD_IRQ),			\
	.func = (fn),							\
}
#endif

#endif /* _TLOB_COMPAT_IRQ_WORK_H */
