/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's Runtime Verification framework, where there is one.
 */
#ifndef _TLOB_RV_H
#define _TLOB_RV_H

#include <linux/errno.h>
#include <linux/fs.h>
#include <linux/types.h>

#ifdef TLOB_HAVE_RV

int tlob_rv_register(bool enabled);
void tlob_rv_close(void);
void tlob_rv_unregister(void);
bool tlob_rv_registered(void);
bool tlob_rv_monitoring_on(void);
void tlob_rv_set_enabled(bool enabled);
int tlob_rv_create_file(const char *name, umode_t mode,
			const struct file_operations *fops);
const char *tlob_rv_reactor(void);
void tlob_rv_react(const char *state, const char *env, u64 value);
void tlob_rv_react_to_dropped(unsigned int n);

#else

static inline int tlob_rv_register(bool enabled)
{
	return -EOPNOTSUPP;
}

static inline void tlob_rv_close(void)
{
}

static inline void tlob_rv_unregister(void)
{
}

static inline bool tlob_rv_registered(void)
{
	return false;
}

static inline bool tlob_rv_monitoring_on(void)
{
	return true;
}

static inline void tlob_rv_set_enabled(bool enabled)
{
}

static inline int tlob_rv_create_file(const char *name, umode_t mode,
				      const struct file_operations *fops)
{
	return -EOPNOTSUPP;
}

static inline const char *tlob_rv_reactor(void)
{
	return NULL;
}

static inline void tlob_rv_react(const char *state, const char *env, u64 value)
{
}

static inline void tlob_rv_react_to_dropped(unsigned int n)
{
}

#endif /* TLOB_HAVE_RV */
#endif /* _TLOB_RV_H */
