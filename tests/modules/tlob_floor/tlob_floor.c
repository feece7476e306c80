// SPDX-License-Identifier: GPL-2.0-only
/*
 * tlob_floor - what the kernel takes before any code of a probe
 *
 * A command written to the parameter `run` is carried out:
 *
 *   switch			an empty probe on sched_switch
 *   probe PATH OFFSET		an empty uprobe handler at a place
 *   clock PATH OFFSET		one that reads the clock once, as emulators may make
 *				all CPUs wait for that
 *   return PATH OFFSET		an empty handler of a function's return
 *   none			all of them are taken away
 */
#include <linux/fs.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/namei.h>
#include <linux/path.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/tracepoint.h>

#include "compat/sched.h"
#include "compat/uprobe.h"

#define MAX_PROBES	8

static struct floor_probe {
	struct tlob_uprobe probe;
	struct path path;
} probes[MAX_PROBES];

static DEFINE_MUTEX(lock);
static unsigned int nr_probes;
static struct tracepoint *sched_switch_tp;
static bool attached;

static bool matters(struct task_struct *prev, struct task_struct *next)
{
	return false;
}

static void switched(struct task_struct *prev, struct task_struct *next,
		     bool blocks)
{
}

TLOB_SCHED_SWITCH_PROBE(probe_switch, matters, switched)

static void nothing(struct tlob_uprobe *probe, struct pt_regs *regs)
{
}

static void read_clock(struct tlob_uprobe *probe, struct pt_regs *regs)
{
	ktime_get_ns();
}

TLOB_UPROBE_HANDLER(hit, nothing)
TLOB_UPROBE_HANDLER(hit_clock, read_clock)
TLOB_UPROBE_RET_HANDLER(hit_return, nothing)

static void match(struct tracepoint *tp, void *data)
{
	if (!strcmp(tp->name, "sched_switch"))
		sched_switch_tp = tp;
}

static int attach(void)
{
	int ret;

	if (attached)
		return -EBUSY;
	for_each_kernel_tracepoint(match, NULL);
	if (!sched_switch_tp)
		return -ENOENT;
	ret = tracepoint_probe_register(sched_switch_tp,
					TLOB_SCHED_SWITCH_FN(probe_switch),
					NULL);
	attached = !ret;
	return ret;
}

static int place(const char *path, loff_t offset, char kind)
{
	struct floor_probe *p = &probes[nr_probes];
	int ret;

	if (nr_probes == MAX_PROBES)
		return -ENOSPC;
	memset(p, 0, sizeof(*p));
	ret = kern_path(path, LOOKUP_FOLLOW, &p->path);
	if (ret)
		return ret;
	p->probe.inode = d_real_inode(p->path.dentry);
	p->probe.offset = offset;
	if (kind == 'r')
		p->probe.uc.ret_handler =
			TLOB_UPROBE_RET_HANDLER_FN(hit_return);
	else if (kind == 'c')
		p->probe.uc.handler = TLOB_UPROBE_HANDLER_FN(hit_clock);
	else
		p->probe.uc.handler = TLOB_UPROBE_HANDLER_FN(hit);
	ret = tlob_uprobe_register(&p->probe);
	if (ret) {
		path_put(&p->path);
		return ret;
	}
	nr_probes++;
	return 0;
}

static void remove_all(void)
{
	unsigned int i;

	for (i = 0; i < nr_probes; i++)
		tlob_uprobe_unregister_nosync(&probes[i].probe);
	tlob_uprobe_unregister_sync();
	while (nr_probes)
		path_put(&probes[--nr_probes].path);
	if (attached)
		tracepoint_probe_unregister(sched_switch_tp,
					    TLOB_SCHED_SWITCH_FN(probe_switch),
					    NULL);
	tracepoint_synchronize_unregister();
	attached = false;
}

static int run_command(char *text)
{
	const char *verb = strsep(&text, " "), *path = strsep(&text, " ");
	loff_t offset;
	int ret;

	if (!strcmp(verb, "none")) {
		remove_all();
		return 0;
	}
	if (!strcmp(verb, "switch"))
		return attach();
	if ((strcmp(verb, "probe") && strcmp(verb, "clock") &&
	     strcmp(verb, "return")) || !path || !text)
		return -EINVAL;
	ret = kstrtoll(text, 0, &offset);
	return ret ?: place(path, offset, *verb);
}

static int run_set(const char *val, const struct kernel_param *kp)
{
	char text[256];
	int ret;

	if (strscpy(text, val, sizeof(text)) < 0)
		return -E2BIG;
	mutex_lock(&lock);
	ret = run_command(strim(text));
	mutex_unlock(&lock);
	return ret;
}

static const struct kernel_param_ops run_ops = { .set = run_set };

module_param_cb(run, &run_ops, NULL, 0200);

static int __init floor_init(void)
{
	return 0;
}

static void __exit floor_exit(void)
{
	remove_all();
}

module_init(floor_init);
module_exit(floor_exit);
MODULE_DESCRIPTION("empty probes, to compare tlob with");
MODULE_LICENSE("GPL");
