// SPDX-License-Identifier: GPL-2.0-only
/*
 * tlob_leak - loses memory when it is loaded, so that what looks for leaks can be
 * seen to find some
 */
#include <linux/compiler.h>
#include <linux/module.h>
#include <linux/slab.h>

/* A stale copy of an address somewhere makes kmemleak miss an object. */
#define OBJECTS	10

/* Not __init: it has a name as long as the module is there. */
static noinline bool lose(void)
{
	void *lost = kmalloc(200, GFP_KERNEL);

	OPTIMIZER_HIDE_VAR(lost);
	return lost;
}

static int __init tlob_leak_init(void)
{
	int i;

	for (i = 0; i < OBJECTS; i++) {
		if (!lose())
			return -ENOMEM;
	}
	return 0;
}
module_init(tlob_leak_init);

static void __exit tlob_leak_exit(void)
{
}
module_exit(tlob_leak_exit);

MODULE_DESCRIPTION("loses memory");
MODULE_LICENSE("GPL");
