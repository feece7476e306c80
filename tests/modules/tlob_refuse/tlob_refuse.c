// SPDX-License-Identifier: GPL-2.0-only
/*
 * tlob_refuse - while it is loaded, RV has no memory for another monitor
 */
#include <linux/errno.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/ptrace.h>

/* Nothing but a return: leaves the value that is there. */
static noinline notrace void just_return(void)
{
}

static int refuse(struct kprobe *kp, struct pt_regs *regs)
{
	regs->ax = -ENOMEM;
	regs->ip = (unsigned long)just_return;
	return 1;
}
NOKPROBE_SYMBOL(just_return);
NOKPROBE_SYMBOL(refuse);

static struct kprobe probe = {
	.symbol_name = "rv_register_monitor",
	.pre_handler = refuse,
};

static int __init tlob_refuse_init(void)
{
	return register_kprobe(&probe);
}

static void __exit tlob_refuse_exit(void)
{
	unregister_kprobe(&probe);
}

module_init(tlob_refuse_init);
module_exit(tlob_refuse_exit);
MODULE_DESCRIPTION("RV that takes no monitor");
MODULE_LICENSE("GPL");
