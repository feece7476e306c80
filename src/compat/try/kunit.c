// SPDX-License-Identifier: GPL-2.0-only
/* A KUnit whose tests may be modules of their own, with exports for them: 6.2 */
#include <linux/module.h>
#include <kunit/visibility.h>

extern const int try_kunit;
const int try_kunit;
EXPORT_SYMBOL_IF_KUNIT(try_kunit);
