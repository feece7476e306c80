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
 *   return PATH OFFSET		an empty handler of a function's return, and of
 *				its entry
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
#include <linux/uprobes.h>

#define MAX_PROBES	8

static struct floor_probe {
	struct uprobe_consumer uc;
	struct uprobe *uprobe;
	struct path path;
} probes[MAX_PROBES];

static DEFINE_MUTEX(lock);
static unsigned int nr_probes;
static struct tracepoint *sched_switch_tp;
static bool attached;

static void probe_switch(void *data, bool preempt, struct task_struct *prev,
			 struct task_struct *next, unsigned int prev_state)
{
}

static int hit(struct uprobe_consumer *uc, struct pt_regs *regs, __u64 *data)
{
	return 0;
}

static int hit_clock(struct uprobe_consumer *uc, struct pt_regs *regs,
		     __u64 *data)
{
	return !ktime_get_ns();
}

static int hit_return(struct uprobe_consumer *uc, unsigned long func,
		      struct pt_regs *regs, __u64 *data)
{
	return 0;
}

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
	ret = tracepoint_probe_register(sched_switch_tp, probe_switch, NULL);
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
	p->uc.handler = kind == 'c' ? hit_clock : hit;
	if (kind == 'r')
		p->uc.ret_handler = hit_return;
	p->uprobe = uprobe_register(d_real_inode(p->path.dentry), offset, 0,
				    &p->uc);
	if (IS_ERR(p->uprobe)) {
		path_put(&p->path);
		return PTR_ERR(p->uprobe);
	}
	nr_probes++;
	return 0;
}

static void remove_all(void)
{
	unsigned int i;

	for (i = 0; i < nr_probes; i++)
		uprobe_unregister_nosync(probes[i].uprobe, &probes[i].uc);
	uprobe_unregister_sync();
	while (nr_probes)
		path_put(&probes[--nr_probes].path);
	if (attached)
		tracepoint_probe_unregister(sched_switch_tp, probe_switch,
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
