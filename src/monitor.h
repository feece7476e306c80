/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whether tlob watches: enabling, and attaching to the scheduler.
 */
#ifndef _TLOB_MONITOR_H
#define _TLOB_MONITOR_H

#include <linux/mutex.h>
#include <linux/seq_file.h>
#include <linux/types.h>

/* The control mutex: enabling, bindings, the error log. Taken by no probe. */
extern struct mutex tlob_mutex;

int tlob_monitor_init(void);
void tlob_monitor_exit(void);
int tlob_monitor_enable(void);
void tlob_monitor_disable(void);
bool tlob_monitor_enabled(void);
int tlob_monitor_get(void);
void tlob_monitor_put(void);
int tlob_monitor_use_kernel(void);
void tlob_monitor_show_stats(struct seq_file *m);
void tlob_monitor_show_hist(struct seq_file *m);

struct tlob_source;
extern struct tlob_source tlob_dev_source;
extern struct tlob_source tlob_kernel_source;

/* main.c */
u64 tlob_default_threshold(void);
unsigned int tlob_max_monitored(void);

#endif /* _TLOB_MONITOR_H */
