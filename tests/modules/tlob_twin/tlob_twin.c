// SPDX-License-Identifier: GPL-2.0-only
/*
 * tlob_twin - another monitor of RV that is named tlob, and does nothing
 */
#include <linux/errno.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/rv.h>
#include <linux/static_call.h>

static int no_register(struct rv_monitor *monitor, struct rv_monitor *parent)
{
	return -EOPNOTSUPP;
}

static int no_unregister(struct rv_monitor *monitor)
{
	return -EOPNOTSUPP;
}

DEFINE_STATIC_CALL(tlob_twin_register, no_register);
DEFINE_STATIC_CALL(tlob_twin_unregister, no_unregister);

static int enable(void)
{
	return 0;
}

static void nothing(void)
{
}

static struct rv_monitor monitor = {
	.name = "tlob",
	.description = "a twin of tlob",
	.enable = enable,
	.disable = nothing,
	.reset = nothing,
};

static struct kprobe functions[] = {
	{ .symbol_name = "rv_register_monitor", .flags = KPROBE_FLAG_DISABLED },
	{ .symbol_name = "rv_unregister_monitor", .flags = KPROBE_FLAG_DISABLED },
};

static int __init tlob_twin_init(void)
{
	unsigned int i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(functions); i++) {
		ret = register_kprobe(&functions[i]);
		if (ret)
			return ret;
		unregister_kprobe(&functions[i]);
	}
	static_call_update(tlob_twin_register, (void *)functions[0].addr);
	static_call_update(tlob_twin_unregister, (void *)functions[1].addr);
	return static_call(tlob_twin_register)(&monitor, NULL);
}

static void __exit tlob_twin_exit(void)
{
	static_call(tlob_twin_unregister)(&monitor);
}

module_init(tlob_twin_init);
module_exit(tlob_twin_exit);
MODULE_DESCRIPTION("another monitor named tlob");
MODULE_LICENSE("GPL");
