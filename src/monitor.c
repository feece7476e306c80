// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whether tlob watches.
 *
 * Enabled: the table is allocated. Attached: enabled and somebody uses it, a
 * binding say; then the scheduler's tracepoints have probes. Windows start only
 * while attached, and all have ended before it is over.
 */
#include <linux/printk.h>

#include "binding.h"
#include "monitor.h"
#include "sched.h"
#include "window.h"

/* Enabling, bindings, the error log; above every other lock. */
DEFINE_MUTEX(tlob_mutex);

static bool enabled;
static unsigned int users;
/* tlob_start_task() was used since it was enabled: a user, too. */
static bool kernel_used;

/* Windows that no binding makes: of /dev/tlob and of other modules. */
struct tlob_source tlob_dev_source = {
	.label = "dev",
	.event_label = "dev",
};

struct tlob_source tlob_kernel_source = {
	.label = "kernel",
	.event_label = "kernel",
	.reopen = TLOB_REOPEN_REFUSED,
	.closed = true,
};

/**
 * tlob_monitor_init - allocate what lives as long as the module
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int tlob_monitor_init(void)
{
	if (tlob_stats_alloc(&tlob_dev_source))
		return -ENOMEM;
	if (tlob_stats_alloc(&tlob_kernel_source)) {
		tlob_stats_free(&tlob_dev_source);
		return -ENOMEM;
	}
	return 0;
}

/**
 * tlob_monitor_exit - free it; the monitor is disabled and has no bindings
 */
void tlob_monitor_exit(void)
{
	tlob_stats_free(&tlob_kernel_source);
	tlob_stats_free(&tlob_dev_source);
}

/* No window is open, and none can start. */
static void detach(void)
{
	tlob_table_release_all();
	tlob_sched_detach();
}

/* Likewise. When it returns, nobody uses the table. */
static void withdraw_table(void)
{
	WRITE_ONCE(tlob_table.present, false);
	/* Pairs with the RCU read side of tlob_window_stop(). */
	synchronize_rcu();
	if (users)
		detach();
}

/**
 * tlob_monitor_enable - allocate the table, attach, place the probes
 *
 * Context: control mutex held, may sleep.
 * Return: 0, also if it is enabled; a negative errno, and then it is disabled.
 */
int tlob_monitor_enable(void)
{
	int ret;

	if (enabled)
		return 0;
	ret = tlob_table_alloc(tlob_max_monitored(), tlob_window_expired);
	if (ret)
		return ret;
	if (users) {
		ret = tlob_sched_attach();
		if (ret)
			goto free;
	}
	/* Publishes the table. */
	smp_store_release(&tlob_table.present, true);
	ret = tlob_bindings_register();
	if (ret)
		goto withdraw;
	/* All stops are in place. */
	smp_store_release(&tlob_table.accepting, true);
	enabled = true;
	return 0;

withdraw:
	withdraw_table();
free:
	tlob_table_free();
	return ret;
}

/**
 * tlob_monitor_disable - undo tlob_monitor_enable()
 *
 * Open windows end as cancelled; the bindings stay.
 *
 * Context: control mutex held, may sleep.
 */
void tlob_monitor_disable(void)
{
	if (!enabled)
		return;
	WRITE_ONCE(tlob_kernel_source.closed, true);
	WRITE_ONCE(tlob_table.accepting, false);
	/* Pairs with the RCU read side of tlob_window_start(). */
	synchronize_rcu();
	/* While they can still reach their stops: no overrun is made here. */
	tlob_windows_end_source(NULL, TLOB_CANCELLED);
	tlob_bindings_unregister();
	withdraw_table();
	if (kernel_used)
		users--;
	kernel_used = false;
	enabled = false;
	tlob_table_free();
}

/**
 * tlob_monitor_enabled - whether it is enabled
 *
 * Context: control mutex held.
 * Return: true if so.
 */
bool tlob_monitor_enabled(void)
{
	return enabled;
}

/**
 * tlob_monitor_get - somebody may start windows
 *
 * Context: control mutex held, may sleep.
 * Return: 0, or a negative errno if the scheduler's probes cannot be attached.
 */
int tlob_monitor_get(void)
{
	int ret;

	if (enabled && !users) {
		ret = tlob_sched_attach();
		if (ret)
			return ret;
	}
	users++;
	return 0;
}

/**
 * tlob_monitor_put - undo tlob_monitor_get(); the user's windows have ended
 *
 * Context: control mutex held, may sleep.
 */
void tlob_monitor_put(void)
{
	users--;
	if (enabled && !users)
		detach();
}

/**
 * tlob_monitor_show_stats - print `stats`
 * @m: the file
 *
 * Context: control mutex held.
 */
void tlob_monitor_show_stats(struct seq_file *m)
{
	struct tlob_stats sum;

	tlob_bindings_show_stats(m);
	tlob_stats_sum(&tlob_dev_source, &sum);
	tlob_stats_show(m, "dev", &sum);
	tlob_stats_sum(&tlob_kernel_source, &sum);
	tlob_stats_show(m, "kernel", &sum);
}

/**
 * tlob_monitor_show_hist - print `hist`
 * @m: the file
 *
 * Context: control mutex held.
 */
void tlob_monitor_show_hist(struct seq_file *m)
{
	tlob_bindings_show_hist(m);
	tlob_stats_show_hist(m, &tlob_dev_source);
	tlob_stats_show_hist(m, &tlob_kernel_source);
}

/**
 * tlob_monitor_use_kernel - another module may start windows
 *
 * The first since enabling attaches the probes; they stay until disabling.
 *
 * Context: may sleep.
 * Return: 0; -ENODEV if it is disabled; as tlob_monitor_get().
 */
int tlob_monitor_use_kernel(void)
{
	int ret = 0;

	if (!READ_ONCE(tlob_kernel_source.closed))
		return 0;
	mutex_lock(&tlob_mutex);
	if (!enabled)
		ret = -ENODEV;
	else if (!kernel_used)
		ret = tlob_monitor_get();
	if (!ret) {
		kernel_used = true;
		/* Releases the probes that were attached. */
		smp_store_release(&tlob_kernel_source.closed, false);
	}
	mutex_unlock(&tlob_mutex);
	return ret;
}
