// SPDX-License-Identifier: GPL-2.0-only
/*
 * tlob_kunit - KUnit suites of tlob. Loading it runs them.
 */
#include <linux/module.h>

#include "tlob_kunit.h"

/* As MODULE_IMPORT_NS() does, whose argument became a string in 6.13. */
MODULE_INFO(import_ns, "EXPORTED_FOR_KUNIT_TESTING");
MODULE_DESCRIPTION("KUnit suites of tlob");
MODULE_AUTHOR("The tlob developers");
MODULE_LICENSE("GPL");
