/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lines of commands, as they are written to `monitor` and to /dev/tlob.
 */
#ifndef _TLOB_SCRIPT_H
#define _TLOB_SCRIPT_H

#include <linux/types.h>

ssize_t tlob_script_write(const char __user *ubuf, size_t count,
			  bool may_enable);

#endif /* _TLOB_SCRIPT_H */
