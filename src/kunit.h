/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the KUnit suites of tests/modules/tlob_kunit reach of the module. Only on
 * kernels with CONFIG_KUNIT.
 */
#ifndef _TLOB_KUNIT_H
#define _TLOB_KUNIT_H

#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>
#include <linux/tracepoint.h>
#include <linux/types.h>

#include "automaton.h"
#include "stats.h"
#include "table.h"
#include "window.h"

/**
 * struct tlob_kunit_ops - functions and data of the module
 * @owner: the module
 * @automaton: the transition table
 * @state_after: tlob_state_after()
 * @mutex: the control mutex
 * @monitor_enable: tlob_monitor_enable()
 * @monitor_disable: tlob_monitor_disable()
 * @monitor_enabled: tlob_monitor_enabled()
 * @monitor_use_kernel: tlob_monitor_use_kernel()
 * @sched_attach: tlob_sched_attach()
 * @sched_detach: tlob_sched_detach()
 * @table: the table of monitored tasks
 * @table_alloc: tlob_table_alloc()
 * @table_free: tlob_table_free()
 * @table_add: tlob_table_add()
 * @table_release_all: tlob_table_release_all()
 * @window_expired: tlob_window_expired()
 * @window_start: tlob_window_start()
 * @window_stop: tlob_window_stop()
 * @windows_end_task: tlob_windows_end_task()
 * @windows_end_source: tlob_windows_end_source()
 * @kernel_source: what the windows of tlob_start_task() belong to
 * @stats_alloc: tlob_stats_alloc()
 * @stats_free: tlob_stats_free()
 * @stats_stopped: tlob_stats_stopped()
 * @stats_sum: tlob_stats_sum()
 * @script_write: tlob_script_write()
 * @bindings_show: tlob_bindings_show()
 * @error_log_show: tlob_error_log_show()
 * @reactors_show: tlob_reactors_show()
 * @rv_registered: tlob_rv_registered()
 * @rv_reactor: tlob_rv_reactor()
 * @rv_monitoring_on: tlob_rv_monitoring_on()
 * @event: tracepoint of event_tlob
 * @error: tracepoint of error_tlob
 * @error_env: tracepoint of error_env_tlob
 * @detail_env: tracepoint of detail_env_tlob
 * @done: tracepoint of done_tlob
 */
struct tlob_kunit_ops {
	struct module *owner;
	const struct automaton_tlob *automaton;
	enum states_tlob (*state_after)(enum events_tlob event);

	struct mutex *mutex;	/* see above */
	int (*monitor_enable)(void);
	void (*monitor_disable)(void);
	bool (*monitor_enabled)(void);
	int (*monitor_use_kernel)(void);
	int (*sched_attach)(void);
	void (*sched_detach)(void);

	struct tlob_table *table;
	int (*table_alloc)(unsigned int size,
			   enum hrtimer_restart (*expired)(struct hrtimer *timer));
	void (*table_free)(void);
	int (*table_add)(struct task_struct *task);
	void (*table_release_all)(void);

	enum hrtimer_restart (*window_expired)(struct hrtimer *timer);
	int (*window_start)(struct task_struct *task, struct tlob_source *src,
			    u64 threshold, u64 tag, unsigned long sp);
	int (*window_stop)(struct task_struct *task, struct tlob_source *src,
			   unsigned long reach, unsigned long sp,
			   struct tlob_totals *totals);
	void (*windows_end_task)(struct task_struct *task,
				 enum tlob_counter reason);
	void (*windows_end_source)(struct tlob_source *src,
				   enum tlob_counter reason);

	struct tlob_source *kernel_source;
	int (*stats_alloc)(struct tlob_source *src);
	void (*stats_free)(struct tlob_source *src);
	void (*stats_stopped)(const struct tlob_source *src,
			      const struct tlob_totals *totals);
	void (*stats_sum)(const struct tlob_source *src,
			  struct tlob_stats *sum);

	ssize_t (*script_write)(const char __user *ubuf, size_t count,
				bool may_enable);
	void (*bindings_show)(struct seq_file *m);
	void (*error_log_show)(struct seq_file *m);

	void (*reactors_show)(struct seq_file *m);
	bool (*rv_registered)(void);
	const char *(*rv_reactor)(void);
	bool (*rv_monitoring_on)(void);

	struct tracepoint *event;
	struct tracepoint *error;
	struct tracepoint *error_env;
	struct tracepoint *detail_env;
	struct tracepoint *done;
};

extern const struct tlob_kunit_ops tlob_kunit_ops;

#endif /* _TLOB_KUNIT_H */
