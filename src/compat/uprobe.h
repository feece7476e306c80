/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Uprobes from within the kernel: registration and handlers.
 */
#ifndef _TLOB_COMPAT_UPROBE_H
#define _TLOB_COMPAT_UPROBE_H

#include <linux/err.h>
#include <linux/ptrace.h>
#include <linux/uprobes.h>

/**
 * struct tlob_uprobe - one consumer at one place
 * @uc: handlers, set before registering
 * @inode: the real inode; the caller keeps it and its mount referenced
 * @offset: ELF file offset
 * @uprobe: the kernel's handle, where it gives one
 * @registered: between register and unregister
 */
struct tlob_uprobe {
	struct uprobe_consumer uc;
	struct inode *inode;
	loff_t offset;
	struct uprobe *uprobe;
	bool registered;
};

/* Handlers take a data pointer since 6.13. */
#define tlob_uprobe_handler_is(member, type)				\
	__builtin_types_compatible_p(					\
		typeof(((struct uprobe_consumer *)0)->member), type)

typedef int (*tlob_uprobe_handler_2)(struct uprobe_consumer *,
				     struct pt_regs *);
typedef int (*tlob_uprobe_ret_handler_3)(struct uprobe_consumer *,
					 unsigned long, struct pt_regs *);

/* Define a handler on top of fn(struct tlob_uprobe *, struct pt_regs *). */
#define TLOB_UPROBE_HANDLER(name, fn)					\
static int __maybe_unused						\
name##_2(struct uprobe_consumer *uc, struct pt_regs *regs)		\
{									\
	fn(container_of(uc, struct tlob_uprobe, uc), regs);		\
	return 0;							\
}									\
static int __maybe_unused						\
name##_data(struct uprobe_consumer *uc, struct pt_regs *regs, __u64 *data) \
{									\
	fn(container_of(uc, struct tlob_uprobe, uc), regs);		\
	return 0;							\
}

#define TLOB_UPROBE_HANDLER_FN(name)					\
	__builtin_choose_expr(						\
		tlob_uprobe_handler_is(handler, tlob_uprobe_handler_2),	\
		name##_2, name##_data)

/* Likewise for a return handler. */
#define TLOB_UPROBE_RET_HANDLER(name, fn)				\
static int __maybe_unused						\
name##_3(struct uprobe_consumer *uc, unsigned long func,		\
	 struct pt_regs *regs)						\
{									\
	fn(container_of(uc, struct tlob_uprobe, uc), regs);		\
	return 0;							\
}									\
static int __maybe_unused						\
name##_data(struct uprobe_consumer *uc, unsigned long func,		\
	    struct pt_regs *regs, __u64 *data)				\
{									\
	fn(container_of(uc, struct tlob_uprobe, uc), regs);		\
	return 0;							\
}

#define TLOB_UPROBE_RET_HANDLER_FN(name)				\
	__builtin_choose_expr(						\
		tlob_uprobe_handler_is(ret_handler,			\
				       tlob_uprobe_ret_handler_3),	\
		name##_3, name##_data)

/*
 * Define a filter on top of fn(struct tlob_uprobe *, mm). It was told a context,
 * too, before 6.12.
 */
#ifdef TLOB_HAVE_UPROBE_FILTER_CTX
#define TLOB_UPROBE_FILTER(name, fn)					\
static bool name(struct uprobe_consumer *uc, enum uprobe_filter_ctx ctx, \
		 struct mm_struct *mm)					\
{									\
	return fn(container_of(uc, struct tlob_uprobe, uc), mm);	\
}
#else
#define TLOB_UPROBE_FILTER(name, fn)					\
static bool name(struct uprobe_consumer *uc, struct mm_struct *mm)	\
{									\
	return fn(container_of(uc, struct tlob_uprobe, uc), mm);	\
}
#endif
#define TLOB_UPROBE_FILTER_FN(name)	name

static inline int tlob_uprobe_register(struct tlob_uprobe *probe)
{
	int ret = 0;

#ifdef TLOB_HAVE_UPROBE_UNREGISTER_NOSYNC
	struct uprobe *uprobe = uprobe_register(probe->inode, probe->offset, 0,
						&probe->uc);

	if (IS_ERR(uprobe))
		ret = PTR_ERR(uprobe);
	else
		probe->uprobe = uprobe;
#else
	ret = uprobe_register(probe->inode, probe->offset, &probe->uc);
#endif
	probe->registered = !ret;
	/* ENOTSUPP is no errno of userspace; ENOEXEC is not decoded at all */
	return ret == -ENOTSUPP || ret == -ENOEXEC ? -EOPNOTSUPP : ret;
}

/*
 * Its handlers may still run, and its return handlers still start, until
 * tlob_uprobe_unregister_sync().
 */
static inline void tlob_uprobe_unregister_nosync(struct tlob_uprobe *probe)
{
	if (!probe->registered)
		return;
#ifdef TLOB_HAVE_UPROBE_UNREGISTER_NOSYNC
	uprobe_unregister_nosync(probe->uprobe, &probe->uc);
#else
	uprobe_unregister(probe->inode, probe->offset, &probe->uc);
#endif
	probe->registered = false;
}

static inline void tlob_uprobe_unregister_sync(void)
{
#ifdef TLOB_HAVE_UPROBE_UNREGISTER_NOSYNC
	uprobe_unregister_sync();
#endif
	/* Before the split, unregistering waits for the handlers itself. */
}

/*
 * In a return handler: the stack pointer that the function's entry had. On x86
 * the return took the return address off the stack.
 */
static inline unsigned long tlob_return_frame(struct pt_regs *regs)
{
	unsigned long sp = user_stack_pointer(regs);

#ifdef CONFIG_X86
	sp -= user_64bit_mode(regs) ? 8 : 4;
#endif
	return sp;
}

#endif /* _TLOB_COMPAT_UPROBE_H */
