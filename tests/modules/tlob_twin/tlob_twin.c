// SPDX-License-Identifier: GPL-2.0-only
/*
 * tlob_twin - another monitor of RV that is named tlob, and does nothing
 */
#include <linux/errno.h>
#include <linux/module.h>
#include <linux/rv.h>

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

static int __init tlob_twin_init(void)
{
	return rv_register_monitor(&monitor, NULL);
}

static void __exit tlob_twin_exit(void)
{
	rv_unregister_monitor(&monitor);
}

module_init(tlob_twin_init);
module_exit(tlob_twin_exit);
MODULE_DESCRIPTION("another monitor named tlob");
MODULE_LICENSE("GPL");
