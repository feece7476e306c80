// SPDX-License-Identifier: GPL-2.0-only
/* Monitors that may have a parent, and react by rv_react(). */
#include <linux/sched.h>
#include <linux/rv.h>

int try(struct rv_monitor *monitor);
int try(struct rv_monitor *monitor)
{
	rv_react(monitor, "%d", rv_monitoring_on());
	return rv_register_monitor(monitor, NULL);
}
