/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HOST_LINUX_KERNEL_H
#define _HOST_LINUX_KERNEL_H

#include_next <linux/kernel.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

#endif /* _HOST_LINUX_KERNEL_H */
