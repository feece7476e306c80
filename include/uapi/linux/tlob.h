/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * /dev/tlob: mark a section of a program from inside it.
 *
 * The layout is the same for 32- and 64-bit programs.
 */
#ifndef _UAPI_LINUX_TLOB_H
#define _UAPI_LINUX_TLOB_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * struct tlob_start_args - a window to open
 * @threshold_ns: budget, 1000 to 3600000000000
 * @tag: any number: names the window in events, and comes back in them
 * @flags: 0
 * @pad: 0
 */
struct tlob_start_args {
	__aligned_u64 threshold_ns;
	__aligned_u64 tag;
	__u32 flags;
	__u32 pad;
};

/**
 * struct tlob_stop_info - where the time of a window went, ns
 * @elapsed_ns: its length, the sum of the other three
 * @running_ns: on a CPU
 * @waiting_ns: runnable, not on a CPU
 * @sleeping_ns: blocked
 */
struct tlob_stop_info {
	__aligned_u64 elapsed_ns;
	__aligned_u64 running_ns;
	__aligned_u64 waiting_ns;
	__aligned_u64 sleeping_ns;
};

/*
 * Events were lost since the one before this: the queue was full, or a read()
 * could not write them to its buffer.
 */
#define TLOB_EVENT_LOST	1

/**
 * struct tlob_event - an overrun, as read() gives it
 * @tid: the thread, in the initial pid namespace
 * @flags: TLOB_EVENT_*
 * @tag: of the window's start
 * @threshold_ns: of the window's start
 * @elapsed_ns: length so far, at the moment of the report
 * @running_ns: as in struct tlob_stop_info; likewise the next two
 * @waiting_ns: see @running_ns
 * @sleeping_ns: see @running_ns
 */
struct tlob_event {
	__u32 tid;
	__u32 flags;
	__aligned_u64 tag;
	__aligned_u64 threshold_ns;
	__aligned_u64 elapsed_ns;
	__aligned_u64 running_ns;
	__aligned_u64 waiting_ns;
	__aligned_u64 sleeping_ns;
};

#define TLOB_IOCTL_MAGIC	0xB9

/*
 * Open a window on the calling thread. ENODEV: tlob is disabled; EALREADY: one
 * of this thread is open on this file; ERANGE: the budget; ENOSPC:
 * max_monitored windows are open; EINVAL: flags or pad; ENOMEM: attaching to the
 * scheduler failed, at the first of this file.
 */
#define TLOB_IOCTL_TRACE_START \
	_IOW(TLOB_IOCTL_MAGIC, 1, struct tlob_start_args)

/* Close it. EOVERFLOW: it was over its budget; ESRCH: none is open. */
#define TLOB_IOCTL_TRACE_STOP		_IO(TLOB_IOCTL_MAGIC, 2)

/* The same, and the totals, also with EOVERFLOW. */
#define TLOB_IOCTL_TRACE_STOP_INFO \
	_IOR(TLOB_IOCTL_MAGIC, 3, struct tlob_stop_info)

#endif /* _UAPI_LINUX_TLOB_H */
