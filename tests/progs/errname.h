/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Names of errors, also with a C library before 2.32, as Debian 11 has it.
 * Include it first.
 */
#ifndef ERRNAME_H
#define ERRNAME_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <stddef.h>
#include <string.h>

#if !defined(__GLIBC__) || !__GLIBC_PREREQ(2, 32)
/* Those that tlob gives */
static inline const char *strerrorname_np(int err)
{
	switch (err) {
#define NAME(e)	case e: return #e
	NAME(EPERM);
	NAME(ENOENT);
	NAME(ESRCH);
	NAME(EINTR);
	NAME(EIO);
	NAME(E2BIG);
	NAME(EBADF);
	NAME(EAGAIN);
	NAME(ENOMEM);
	NAME(EACCES);
	NAME(EFAULT);
	NAME(EBUSY);
	NAME(EEXIST);
	NAME(ENODEV);
	NAME(EINVAL);
	NAME(ENOTTY);
	NAME(ENOSPC);
	NAME(ERANGE);
	NAME(ENAMETOOLONG);
	NAME(EOVERFLOW);
	NAME(EOPNOTSUPP);
	NAME(EALREADY);
#undef NAME
	}
	return NULL;
}
#endif

#endif /* ERRNAME_H */
