/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The last commands that were rejected, and why.
 */
#ifndef _TLOB_ERROR_LOG_H
#define _TLOB_ERROR_LOG_H

#include <linux/seq_file.h>

#include "command.h"

void tlob_error_log_add(const char *line, size_t len,
			const struct tlob_fault *fault);
void tlob_error_log_show(struct seq_file *m);

#endif /* _TLOB_ERROR_LOG_H */
