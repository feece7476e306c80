/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The control files, in debugfs or beside those of RV.
 */
#ifndef _TLOB_CONTROL_H
#define _TLOB_CONTROL_H

void tlob_control_init(void);
void tlob_control_exit(void);

#endif /* _TLOB_CONTROL_H */
