/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _TLOB_COMPAT_HRTIMER_H
#define _TLOB_COMPAT_HRTIMER_H

#include <linux/hrtimer.h>

/* An absolute CLOCK_MONOTONIC timer whose callback runs in hard irq context. */
static inline void
tlob_hrtimer_setup(struct hrtimer *timer,
		   enum hrtimer_restart (*fn)(struct hrtimer *timer))
{
#ifdef TLOB_HAVE_HRTIMER_SETUP
	hrtimer_setup(timer, fn, CLOCK_MONOTONIC, HRTIMER_MODE_ABS_HARD);
#else
	hrtimer_init(timer, CLOCK_MONOTONIC, HRTIMER_MODE_ABS_HARD);
	timer->function = fn;
#endif
}

#endif /* _TLOB_COMPAT_HRTIMER_H */
