// SPDX-License-Identifier: GPL-2.0-only
/*
 * tlob: task latency over budget. The module: its parameters, init and exit.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/printk.h>
#include <linux/string.h>

#include "binding.h"
#include "command.h"
#include "control.h"
#include "defer.h"
#include "dev.h"
#include "monitor.h"
#include "reactor.h"
#include "rv.h"
#include "table.h"

#define MAX_MONITORED	65536

static unsigned long long threshold_ns;

static int threshold_set(const char *val, const struct kernel_param *kp)
{
	unsigned long long ns;
	int ret;

	ret = kstrtoull(val, 0, &ns);
	if (!ret && ns && !tlob_budget_valid(ns))
		ret = -ERANGE;
	if (ret) {
		pr_err("threshold_ns is to be 0, or %llu to %llu\n",
		       TLOB_BUDGET_MIN, TLOB_BUDGET_MAX);
		return ret;
	}
	WRITE_ONCE(threshold_ns, ns);
	return 0;
}

static const struct kernel_param_ops threshold_ops = {
	.set = threshold_set,
	.get = param_get_ullong,
};

module_param_cb(threshold_ns, &threshold_ops, &threshold_ns, 0644);
MODULE_PARM_DESC(threshold_ns,
		 "budget of bindings that name none, in ns, 1000 to 3600000000000; 0: each must name its own (default: 0)");

static unsigned int max_monitored = 1024;

static int max_monitored_set(const char *val, const struct kernel_param *kp)
{
	unsigned int n;
	int ret;

	ret = kstrtouint(val, 0, &n);
	if (!ret && (!n || n > MAX_MONITORED))
		ret = -ERANGE;
	if (ret) {
		pr_err("max_monitored is to be 1 to %u\n", MAX_MONITORED);
		return ret;
	}
	max_monitored = n;
	return 0;
}

static const struct kernel_param_ops max_monitored_ops = {
	.set = max_monitored_set,
	.get = param_get_uint,
};

module_param_cb(max_monitored, &max_monitored_ops, &max_monitored, 0444);
MODULE_PARM_DESC(max_monitored,
		 "windows that may be open at once, 1 to 65536 (default: 1024)");

static bool enable;
module_param(enable, bool, 0444);
MODULE_PARM_DESC(enable, "enable the monitor at load (default: 0)");

static const char *rv = "auto";

static int rv_set(const char *val, const struct kernel_param *kp)
{
	static const char * const choices[] = { "auto", "off", "only" };
	int i = sysfs_match_string(choices, val);

	if (i < 0) {
		pr_err("rv is to be auto, off or only\n");
		return -EINVAL;
	}
	rv = choices[i];
	return 0;
}

static const struct kernel_param_ops rv_ops = {
	.set = rv_set,
	.get = param_get_charp,
};

module_param_cb(rv, &rv_ops, &rv, 0444);
MODULE_PARM_DESC(rv,
		 "register with the kernel's runtime verification: auto, off or only (default: auto)");

/**
 * tlob_default_threshold - budget of a binding that names none
 *
 * Return: ns, 0 if it has to name one.
 */
u64 tlob_default_threshold(void)
{
	return READ_ONCE(threshold_ns);
}

/**
 * tlob_max_monitored - how many windows may be open at once
 *
 * Return: 1 to 65536.
 */
unsigned int tlob_max_monitored(void)
{
	return max_monitored;
}

/* Be a monitor of RV if the kernel has it and the parameter lets us. */
static int __init register_with_rv(void)
{
	bool only = !strcmp(rv, "only");
	int ret;

	if (!strcmp(rv, "off"))
		return 0;
	ret = tlob_rv_register(enable);
	if (!ret)
		return 0;
	if (ret == -EEXIST) {
		pr_err("the kernel has a monitor named tlob\n");
		/* -EEXIST from a module means that it is loaded already. */
		return -EBUSY;
	}
	if (only) {
		pr_err("rv=only, but this kernel's runtime verification cannot be used: %d\n",
		       ret);
		return -ENODEV;
	}
	if (IS_ENABLED(CONFIG_RV))
		pr_info("this kernel's runtime verification cannot be used (%d): the files are in debugfs\n",
			ret);
	return 0;
}

static void disable_all(void)
{
	mutex_lock(&tlob_mutex);
	tlob_monitor_disable();
	tlob_bindings_remove_all();
	mutex_unlock(&tlob_mutex);
	tlob_reactor_flush();
}

static int __init tlob_init(void)
{
	int ret;

	ret = tlob_defer_init();
	if (ret)
		return ret;
	ret = tlob_monitor_init();
	if (ret)
		goto exit_defer;
	if (enable) {
		mutex_lock(&tlob_mutex);
		ret = tlob_monitor_enable();
		mutex_unlock(&tlob_mutex);
		if (ret) {
			pr_err("cannot be enabled: %d\n", ret);
			goto exit_monitor;
		}
	}
	ret = register_with_rv();
	if (ret)
		goto disable;
	ret = tlob_dev_init();
	if (ret) {
		pr_err("cannot create /dev/tlob: %d\n", ret);
		/* RV's files may be open, and a failed load does not wait. */
		if (!tlob_rv_registered())
			goto disable;
	}
	tlob_control_init();
	return 0;

disable:
	disable_all();
exit_monitor:
	tlob_monitor_exit();
exit_defer:
	tlob_defer_exit();
	return ret;
}

static void __exit tlob_exit(void)
{
	tlob_rv_close();
	tlob_control_exit();
	tlob_dev_exit();
	tlob_rv_unregister();
	disable_all();
	tlob_monitor_exit();
	tlob_defer_exit();
}

module_init(tlob_init);
module_exit(tlob_exit);

MODULE_DESCRIPTION("task latency over budget: a runtime verification monitor");
MODULE_AUTHOR("The tlob developers");
MODULE_LICENSE("GPL");
MODULE_VERSION(TLOB_VERSION);
