// SPDX-License-Identifier: GPL-2.0-only
/* 6.12: uprobe_unregister() split in uprobe_unregister_nosync() and _sync(). */
#include <linux/uprobes.h>

void try(struct uprobe *uprobe, struct uprobe_consumer *uc);
void try(struct uprobe *uprobe, struct uprobe_consumer *uc)
{
	uprobe_unregister_nosync(uprobe, uc);
	uprobe_unregister_sync();
}
