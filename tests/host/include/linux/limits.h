/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HOST_LINUX_LIMITS_H
#define _HOST_LINUX_LIMITS_H

#include_next <linux/limits.h>
#include <stdint.h>

#define U64_MAX	UINT64_MAX
#define S64_MAX	INT64_MAX
#define S32_MAX	INT32_MAX

#endif /* _HOST_LINUX_LIMITS_H */
