// SPDX-License-Identifier: GPL-2.0-only
/*
 * tlob as a monitor of the kernel's Runtime Verification framework.
 *
 * RV exports to modules only what a monitor calls once it is registered. The
 * rest is found by a kprobe and called by a static call. That is a direct call,
 * so it needs no endbr64, which the kernel takes away from functions that it
 * never calls by a pointer (IBT), and no type to be checked (kCFI).
 *
 * RV's files of a monitor point to its struct rv_monitor without a reference on
 * anything. Each gets our copy of its operations, which has an owner: open, it
 * keeps the module.
 *
 * Lock order: RV's interface lock, under which enable and disable are called, is
 * above the control mutex.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/dcache.h>
#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/printk.h>
#include <linux/rv.h>
#include <linux/static_call.h>
#include <linux/string.h>
#include <linux/stringhash.h>

#include "monitor.h"
#include "reactor.h"
#include "rv.h"

static int no_register(struct rv_monitor *monitor, struct rv_monitor *parent)
{
	return -EOPNOTSUPP;
}

static int no_unregister(struct rv_monitor *monitor)
{
	return -EOPNOTSUPP;
}

static bool no_monitoring_on(void)
{
	return true;
}

static struct dentry *no_create_file(const char *name, umode_t mode,
				     struct dentry *parent, void *data,
				     const struct file_operations *fops)
{
	return NULL;
}

DEFINE_STATIC_CALL(tlob_rv_register, no_register);
DEFINE_STATIC_CALL(tlob_rv_unregister, no_unregister);
DEFINE_STATIC_CALL(tlob_rv_monitoring_on, no_monitoring_on);
DEFINE_STATIC_CALL(tlob_tracefs_create_file, no_create_file);

/*
 * Address of a function of the kernel that is not exported, or right behind its
 * endbr64; NULL if there is none.
 */
static void *find_function(const char *name)
{
	struct kprobe probe = {
		.symbol_name = name,
		.flags = KPROBE_FLAG_DISABLED,
	};
	void *addr;

	if (register_kprobe(&probe))
		return NULL;
	addr = probe.addr;
	unregister_kprobe(&probe);
	return addr;
}

static int find_functions(void)
{
	void *on = find_function("rv_monitoring_on");
	void *create = find_function("tracefs_create_file");
#ifdef TLOB_HAVE_RV_EXPORTED
	int (*reg)(struct rv_monitor *, struct rv_monitor *) =
		rv_register_monitor;
	int (*unreg)(struct rv_monitor *) = rv_unregister_monitor;
#else
	void *reg = find_function("rv_register_monitor");
	void *unreg = find_function("rv_unregister_monitor");
#endif

	if (!on || !create || !reg || !unreg)
		return -EOPNOTSUPP;
	static_call_update(tlob_rv_monitoring_on, on);
	static_call_update(tlob_tracefs_create_file, create);
	static_call_update(tlob_rv_register, reg);
	static_call_update(tlob_rv_unregister, unreg);
	return 0;
}

static int enable(void)
{
	int ret;

	mutex_lock(&tlob_mutex);
	ret = tlob_monitor_enable();
	mutex_unlock(&tlob_mutex);
	return ret;
}

/* Also before RV changes the reactor: the old one is told of what is left. */
static void disable(void)
{
	mutex_lock(&tlob_mutex);
	tlob_monitor_disable();
	mutex_unlock(&tlob_mutex);
	tlob_reactor_flush();
}

/* Monitoring is on again. Nothing was lost: accounting never stopped. */
static void reset(void)
{
}

static struct rv_monitor monitor = {
	.name = "tlob",
	.description = "task latency over budget: per-task windows with a time budget.",
	.enable = enable,
	.disable = disable,
	.reset = reset,
};

static bool registered;

/* RV's files of a monitor, and their operations with an owner. */
static struct rv_file {
	const char *name;
	struct file_operations fops;
} rv_files[] = {
	{ .name = "enable" },
	{ .name = "desc" },
	{ .name = "reactors" },
};

/* All files of our directory, RV's first, then ours; it holds them. */
static struct dentry *files[16];
static unsigned int nr_files;

/* A reference on a file of our directory, or NULL. */
static struct dentry *find_file(const char *name)
{
	struct qstr q = QSTR_INIT(name, strlen(name));

	q.hash = full_name_hash(monitor.root_d, name, q.len);
	return d_lookup(monitor.root_d, &q);
}

/*
 * Whoever took a reference on an RV file before it had an owner may only have
 * passed by. Seen unused once, it has only users that keep the module. False if
 * one stays in use for a second.
 */
static bool old_users_gone(void)
{
	unsigned int i = 0, tries = 50;

	while (i < nr_files) {
		if (d_count(files[i]) == 1) {
			i++;
			continue;
		}
		if (!tries--)
			return false;
		msleep(20);
	}
	return true;
}

static void own_files(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rv_files); i++) {
		struct rv_file *rf = &rv_files[i];
		struct dentry *file = find_file(rf->name);

		/* A kernel without reactors has no file of that name. */
		if (!file)
			continue;
		if (d_really_is_positive(file)) {
			rf->fops = *d_inode(file)->i_fop;
			rf->fops.owner = THIS_MODULE;
			/* Pairs with the dependent reads of do_dentry_open(). */
			smp_store_release(&d_inode(file)->i_fop, &rf->fops);
			files[nr_files++] = file;
		}
		dput(file);
	}
	/* Who takes a reference from now on sees the owner. */
	smp_mb();
	if (!old_users_gone()) {
		pr_warn("a file of RV was in use before it had an owner: tlob cannot be unloaded\n");
		__module_get(THIS_MODULE);
	}
}

/**
 * tlob_rv_register - become a monitor of RV
 * @enabled: the monitor is enabled already
 *
 * Context: may sleep; the control mutex is not held.
 * Return: 0; -EOPNOTSUPP if RV cannot be reached; -EEXIST if it has a monitor
 * named tlob; what else rv_register_monitor() returns.
 */
int tlob_rv_register(bool enabled)
{
	int ret;

	ret = find_functions();
	if (ret)
		return ret;
	monitor.enabled = enabled;
	ret = static_call(tlob_rv_register)(&monitor, NULL);
	if (ret)
		return ret;
	own_files();
	WRITE_ONCE(registered, true);
	return 0;
}

/**
 * tlob_rv_close - let none of the files be opened any more
 *
 * Whoever found one and has yet to open it finds nothing of ours. First of all
 * at unload: until then such an open fails with a warning of the VFS.
 *
 * Context: may sleep; no file is open.
 */
void tlob_rv_close(void)
{
	if (!registered)
		return;
	while (nr_files)
		WRITE_ONCE(d_inode(files[--nr_files])->i_fop, &generic_ro_fops);
	/* Who read the old operations and has yet to ask their owner */
	synchronize_rcu_tasks();
}

/**
 * tlob_rv_unregister - disable the monitor, remove its directory
 *
 * Context: may sleep; the control mutex is not held; after tlob_rv_close().
 */
void tlob_rv_unregister(void)
{
	if (!registered)
		return;
	static_call(tlob_rv_unregister)(&monitor);
	WRITE_ONCE(registered, false);
}

/**
 * tlob_rv_registered - whether tlob is a monitor of RV
 *
 * Return: true if so.
 */
bool tlob_rv_registered(void)
{
	return READ_ONCE(registered);
}

/**
 * tlob_rv_monitoring_on - whether overruns are to be reported
 *
 * Context: any.
 * Return: RV's monitoring_on; true without RV.
 */
bool tlob_rv_monitoring_on(void)
{
	return !READ_ONCE(registered) || static_call(tlob_rv_monitoring_on)();
}

/**
 * tlob_rv_set_enabled - tell RV that the monitor was enabled or disabled
 * @enabled: which
 *
 * What RV's `enable` shows and goes by; its lock is out of reach. If somebody
 * writes to that file at the same time, it may have the wrong one until 0 and
 * then 1 are written to it.
 *
 * Context: control mutex held.
 */
void tlob_rv_set_enabled(bool enabled)
{
	WRITE_ONCE(monitor.enabled, enabled);
}

/**
 * tlob_rv_create_file - create a file beside RV's own
 * @name: its name
 * @mode: its mode
 * @fops: its operations, with an owner
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int tlob_rv_create_file(const char *name, umode_t mode,
			const struct file_operations *fops)
{
	struct dentry *file = NULL;

	if (nr_files < ARRAY_SIZE(files))
		file = static_call(tlob_tracefs_create_file)(name, mode,
							     monitor.root_d,
							     NULL, fops);
	if (!file)
		return -ENOMEM;
	files[nr_files++] = file;
	return 0;
}

/**
 * tlob_rv_reactor - name of the reactor that RV has chosen
 *
 * It changes while the monitor is disabled, as far as RV knows.
 *
 * Context: any.
 * Return: the name, which stands for the reactor; NULL if there is none.
 */
const char *tlob_rv_reactor(void)
{
#ifdef CONFIG_RV_REACTORS
	const struct rv_reactor *reactor = READ_ONCE(monitor.reactor);

	if (reactor)
		return reactor->name;
#endif
	return NULL;
}

/**
 * tlob_rv_react - have RV's reactor react to an overrun
 * @state: the state that it happened in
 * @env: the clock
 * @value: what it showed, ns
 *
 * Context: any but NMI.
 */
void tlob_rv_react(const char *state, const char *env, u64 value)
{
	rv_react(&monitor, TLOB_REACTION "\n", state, env, value);
}

/**
 * tlob_rv_react_to_dropped - tell RV's reactor of overruns it was not told of
 * @n: how many
 *
 * Context: any but NMI.
 */
void tlob_rv_react_to_dropped(unsigned int n)
{
	rv_react(&monitor, TLOB_REACTION_DROPPED "\n", n);
}
