// SPDX-License-Identifier: GPL-2.0-only
/*
 * tlob_hold - RV has registered a monitor, and its caller has yet to know
 *
 * While it is loaded, rv_register_monitor() returns only once `go` is set; `held`
 * says that somebody waits for it. A path written to `put` drops a reference on
 * the module that owns that file.
 */
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/ptrace.h>
#include <linux/rcupdate.h>
#include <linux/rv.h>
#include <linux/sched/signal.h>
#include <linux/static_call.h>
#include <linux/string.h>

static bool go;
module_param(go, bool, 0600);
MODULE_PARM_DESC(go, "what was held may go on");

static bool held;
module_param(held, bool, 0400);
MODULE_PARM_DESC(held, "somebody is held");

static int put(const char *path, const struct kernel_param *kp)
{
	struct module *owner;
	struct file *file;
	char name[128];

	if (strscpy(name, path, sizeof(name)) < 0)
		return -ENAMETOOLONG;
	file = filp_open(strim(name), O_RDONLY, 0);
	if (IS_ERR(file))
		return PTR_ERR(file);
	owner = file->f_op->owner;
	module_put(owner);
	filp_close(file, NULL);
	return owner ? 0 : -EINVAL;
}

static const struct kernel_param_ops put_ops = {
	.set = put,
};
module_param_cb(put, &put_ops, NULL, 0200);
MODULE_PARM_DESC(put, "a file whose module loses a reference");

static int no_register(struct rv_monitor *monitor, struct rv_monitor *parent)
{
	return -EOPNOTSUPP;
}

DEFINE_STATIC_CALL(tlob_hold_register, no_register);

static struct task_struct *through;

static noinline notrace int register_and_hold(struct rv_monitor *monitor,
					      struct rv_monitor *parent)
{
	int ret;

	WRITE_ONCE(through, current);
	ret = static_call(tlob_hold_register)(monitor, parent);
	WRITE_ONCE(through, NULL);
	WRITE_ONCE(held, true);
	while (!READ_ONCE(go) && !fatal_signal_pending(current))
		msleep(20);
	WRITE_ONCE(held, false);
	return ret;
}

static int divert(struct kprobe *kp, struct pt_regs *regs)
{
	if (READ_ONCE(through) == current)
		return 0;
	regs->ip = (unsigned long)register_and_hold;
	return 1;
}
NOKPROBE_SYMBOL(divert);

static struct kprobe probe = {
	.symbol_name = "rv_register_monitor",
	.pre_handler = divert,
	.flags = KPROBE_FLAG_DISABLED,
};

static int __init tlob_hold_init(void)
{
	int ret;

	ret = register_kprobe(&probe);
	if (ret)
		return ret;
	static_call_update(tlob_hold_register, (void *)probe.addr);
	ret = enable_kprobe(&probe);
	if (ret)
		unregister_kprobe(&probe);
	return ret;
}

static void __exit tlob_hold_exit(void)
{
	unregister_kprobe(&probe);
	while (READ_ONCE(held))
		msleep(20);
	/* Whoever was held has yet to leave our code. */
	synchronize_rcu_tasks();
}

module_init(tlob_hold_init);
module_exit(tlob_hold_exit);
MODULE_DESCRIPTION("RV that takes its time");
MODULE_LICENSE("GPL");
