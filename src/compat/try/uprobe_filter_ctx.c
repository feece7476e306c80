// SPDX-License-Identifier: GPL-2.0-only
/* 6.12: filters are no longer told what they are asked for. */
#include <linux/uprobes.h>

enum uprobe_filter_ctx try(enum uprobe_filter_ctx ctx);
enum uprobe_filter_ctx try(enum uprobe_filter_ctx ctx)
{
	return ctx;
}
