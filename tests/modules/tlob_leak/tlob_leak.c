// SPDX-License-Identifier: GPL-2.0-only
/*
 * tlob_leak - loses memory when it is loaded, so that what looks for leaks can be
 * seen to find some
 *
 * Its parameter `lost` then tells what it has lost. Loaded with that parameter, it
 * frees that, and loses nothing.
 */
#include <linux/module.h>
#include <linux/slab.h>

/* A stale copy of an address somewhere makes kmemleak miss an object. */
#define OBJECTS	10

/* Inverted, or they would not be lost. */
static unsigned long lost[OBJECTS];
static unsigned int nr_lost;
module_param_array(lost, ulong, &nr_lost, 0444);
MODULE_PARM_DESC(lost, "what to free");

/* Not __init: it has a name as long as the module is there. */
static noinline bool lose(void)
{
	void *object = kmalloc(200, GFP_KERNEL);

	if (!object)
		return false;
	lost[nr_lost++] = ~(unsigned long)object;
	return true;
}

static int __init tlob_leak_init(void)
{
	if (nr_lost) {
		while (nr_lost)
			kfree((void *)~lost[--nr_lost]);
		return 0;
	}
	while (nr_lost < OBJECTS) {
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
