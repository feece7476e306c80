/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Windows: start, stop, overrun, and the ways in which they end otherwise.
 */
#ifndef _TLOB_WINDOW_H
#define _TLOB_WINDOW_H

#include <linux/hrtimer.h>
#include <linux/limits.h>
#include <linux/seq_file.h>
#include <linux/types.h>

#include "stats.h"
#include "table.h"

/*
 * Which windows a stop ends: how far its stack pointer may be above that of the
 * start. An offset ends any window of its source. A return ends one that was opened
 * in its frame or below it; the function's own one that this very frame opened, also
 * if it popped some of its arguments: of 32-bit functions, the hidden pointer to what
 * they return. The frames of others are further away.
 */
#define TLOB_STOP_OFFSET	ULONG_MAX
#define TLOB_STOP_RETURN	LONG_MAX
#define TLOB_STOP_OWN_RETURN	4UL

/* Whether windows of a source may start: they may cease to at any time. */
static inline bool tlob_source_is_open(const struct tlob_source *src)
{
	return READ_ONCE(tlob_table.accepting) && !READ_ONCE(src->closed);
}

int tlob_window_start(struct task_struct *task, struct tlob_source *src,
		      u64 threshold, u64 tag, unsigned long sp);
int tlob_window_stop(struct task_struct *task, struct tlob_source *src,
		     unsigned long reach, unsigned long sp,
		     struct tlob_totals *totals);
void tlob_window_observe(struct task_struct *task);
void tlob_windows_end_task(struct task_struct *task, enum tlob_counter reason);
void tlob_windows_end_source(struct tlob_source *src, enum tlob_counter reason);
void tlob_task_event(struct tlob_record *rec, struct task_struct *task,
		     enum events_tlob event, const struct task_struct *taker);
void tlob_task_waking(struct tlob_record *rec, struct task_struct *task);
enum hrtimer_restart tlob_window_expired(struct hrtimer *timer);
void tlob_window_show(struct seq_file *m, struct tlob_window *window);

#endif /* _TLOB_WINDOW_H */
