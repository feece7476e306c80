/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The probes on the scheduler's tracepoints.
 */
#ifndef _TLOB_SCHED_H
#define _TLOB_SCHED_H

int tlob_sched_attach(void);
void tlob_sched_detach(void);

#endif /* _TLOB_SCHED_H */
