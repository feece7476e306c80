// SPDX-License-Identifier: GPL-2.0-only
/*
 * tlob_fail - lets one allocation fail that a function of tlob asked for
 *
 * Writing N to the parameter `nth` makes the Nth from then on of the writer's
 * fail; reading tells how many are to go. As /proc/self/fail-nth, but spares
 * what the kernel itself allocates when a module is loaded: it warns of that.
 *
 * It needs the functions by which allocations ask whether to fail; kernels that
 * were built without fault injection have them up to 6.x.
 */
#include <linux/gfp.h>
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/preempt.h>
#include <linux/ptrace.h>
#include <linux/sched.h>
#include <linux/stacktrace.h>
#include <linux/string.h>

#include <asm/pgtable.h>

static struct task_struct *victim;
static unsigned int to_go;

/* Whether a function of tlob is among the callers. */
static bool is_tlobs(void)
{
	unsigned long callers[64];
	char name[KSYM_SYMBOL_LEN];
	unsigned int i, n;

	n = stack_trace_save(callers, ARRAY_SIZE(callers), 0);
	for (i = 0; i < n; i++) {
		if (callers[i] < MODULES_VADDR || callers[i] >= MODULES_END)
			continue;
		sprint_symbol(name, callers[i]);
		if (strstr(name, "[tlob]"))
			return true;
	}
	return false;
}

static bool is_turn(gfp_t gfp)
{
	if (READ_ONCE(victim) != current || hardirq_count() ||
	    softirq_count() || gfp & __GFP_NOFAIL || !to_go || !is_tlobs())
		return false;
	return !--to_go;
}

/* Nothing but a return: leaves the value that is there. */
static noinline notrace void just_return(void)
{
}

/* Return @val from the function that is about to begin. */
static int instead(struct pt_regs *regs, unsigned long val)
{
	regs->ax = val;
	regs->ip = (unsigned long)just_return;
	return 1;
}

/* int should_failslab(struct kmem_cache *s, gfp_t gfpflags) */
static int on_slab(struct kprobe *kp, struct pt_regs *regs)
{
	return is_turn((__force gfp_t)regs->si) ? instead(regs, -ENOMEM) : 0;
}

/* bool should_fail_alloc_page(gfp_t gfp_mask, unsigned int order) */
static int on_page(struct kprobe *kp, struct pt_regs *regs)
{
	return is_turn((__force gfp_t)regs->di) ? instead(regs, true) : 0;
}

/* void __percpu *__alloc_percpu(...), which the kernel's injection spares */
static int on_percpu(struct kprobe *kp, struct pt_regs *regs)
{
	return is_turn(GFP_KERNEL) ? instead(regs, 0) : 0;
}
NOKPROBE_SYMBOL(is_tlobs);
NOKPROBE_SYMBOL(is_turn);
NOKPROBE_SYMBOL(just_return);
NOKPROBE_SYMBOL(instead);
NOKPROBE_SYMBOL(on_slab);
NOKPROBE_SYMBOL(on_page);
NOKPROBE_SYMBOL(on_percpu);

static struct kprobe slab_probe = {
	.symbol_name = "should_failslab",
	.pre_handler = on_slab,
};

static struct kprobe page_probe = {
	.symbol_name = "should_fail_alloc_page",
	.pre_handler = on_page,
};

/* Its name since 6.10, and before */
static const char * const percpu_names[] = { "pcpu_alloc_noprof", "__alloc_percpu" };

static struct kprobe percpu_probe;

static struct kprobe *probes[] = { &slab_probe, &page_probe };

static int set_nth(const char *val, const struct kernel_param *kp)
{
	unsigned int n;
	int ret = kstrtouint(val, 0, &n);

	if (ret)
		return ret;
	to_go = n;
	WRITE_ONCE(victim, n ? current : NULL);
	return 0;
}

static int get_nth(char *buf, const struct kernel_param *kp)
{
	return sprintf(buf, "%u\n", to_go);
}

static const struct kernel_param_ops nth_ops = {
	.set = set_nth,
	.get = get_nth,
};
module_param_cb(nth, &nth_ops, NULL, 0600);

static int __init tlob_fail_init(void)
{
	unsigned int i;
	int ret = -ENOENT;

	for (i = 0; ret && i < ARRAY_SIZE(percpu_names); i++) {
		percpu_probe = (struct kprobe) {
			.symbol_name = percpu_names[i],
			.pre_handler = on_percpu,
		};
		ret = register_kprobe(&percpu_probe);
	}
	if (ret)
		return ret;
	ret = register_kprobes(probes, ARRAY_SIZE(probes));
	if (ret)
		unregister_kprobe(&percpu_probe);
	return ret;
}

static void __exit tlob_fail_exit(void)
{
	unregister_kprobes(probes, ARRAY_SIZE(probes));
	unregister_kprobe(&percpu_probe);
}

module_init(tlob_fail_init);
module_exit(tlob_fail_exit);
MODULE_DESCRIPTION("one allocation that fails");
MODULE_LICENSE("GPL");
