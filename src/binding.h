/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bindings: where windows start and stop in binaries. All under the control
 * mutex.
 */
#ifndef _TLOB_BINDING_H
#define _TLOB_BINDING_H

#include <linux/seq_file.h>

#include "command.h"

int tlob_binding_add(const struct tlob_command *cmd, struct tlob_fault *fault);
int tlob_binding_remove(const struct tlob_command *cmd,
			struct tlob_fault *fault);
void tlob_bindings_remove_all(void);
int tlob_bindings_register(void);
void tlob_bindings_unregister(void);
void tlob_bindings_show(struct seq_file *m);
void tlob_bindings_show_stats(struct seq_file *m);
void tlob_bindings_show_hist(struct seq_file *m);

#endif /* _TLOB_BINDING_H */
