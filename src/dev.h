/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /dev/tlob.
 */
#ifndef _TLOB_DEV_H
#define _TLOB_DEV_H

int tlob_dev_init(void);
void tlob_dev_exit(void);

#endif /* _TLOB_DEV_H */
