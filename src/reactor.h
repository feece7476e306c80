/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What happens at an overrun besides the trace events: RV's reactors, or on
 * kernels without RV our own of the same names.
 */
#ifndef _TLOB_REACTOR_H
#define _TLOB_REACTOR_H

#include <linux/seq_file.h>

#include "report.h"

/* What a reactor is told: a state, a clock and what it shows, in ns */
#define TLOB_REACTION \
	"rv: monitor tlob does not allow event budget_exceeded on state %s with env %s=%llu"

/* And how many more there were, if there were too many to be told of */
#define TLOB_REACTION_DROPPED "rv: monitor tlob: %u more"

void tlob_react(const struct tlob_report *report);
int tlob_reactor_choose(const char *name);
void tlob_reactors_show(struct seq_file *m);
void tlob_reactor_flush(void);

#endif /* _TLOB_REACTOR_H */
