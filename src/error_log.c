// SPDX-License-Identifier: GPL-2.0-only
/*
 * The last commands that were rejected: a ring, in the form of ftrace's
 * error_log. Under the control mutex.
 */
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/sched/clock.h>
#include <linux/string.h>

#include "error_log.h"

#define NR_ENTRIES	8
/* Of a longer command, the part around the caret is kept. */
#define TEXT_MAX	256

static struct entry {
	u64 when;
	const char *reason;
	unsigned int caret;
	char text[TEXT_MAX + 1];
} entries[NR_ENTRIES];
static unsigned int nr_added;

/**
 * tlob_error_log_add - remember a rejected command
 * @line: its text
 * @len: length of @line
 * @fault: why, and where
 *
 * Context: control mutex held.
 */
void tlob_error_log_add(const char *line, size_t len,
			const struct tlob_fault *fault)
{
	struct entry *e = &entries[nr_added++ % NR_ENTRIES];
	size_t pos = min_t(size_t, fault->pos, len), from = 0, i;

	if (len > TEXT_MAX && pos > TEXT_MAX / 2)
		from = min(pos - TEXT_MAX / 2, len - TEXT_MAX);
	len = min_t(size_t, len - from, TEXT_MAX);
	/* One column a byte, so that the caret stands where it should. */
	for (i = 0; i < len; i++) {
		unsigned char c = line[from + i];

		e->text[i] = c == '\t' ? ' ' : c < ' ' || c == 0x7f ? '?' : c;
	}
	e->text[len] = '\0';
	e->caret = pos - from;
	e->when = local_clock();
	e->reason = fault->reason;
}

/**
 * tlob_error_log_show - print the ring, oldest first
 * @m: the file
 *
 * Context: control mutex held.
 */
void tlob_error_log_show(struct seq_file *m)
{
	static const char command[] = "  Command: ";
	unsigned int i = nr_added > NR_ENTRIES ? nr_added - NR_ENTRIES : 0;

	for (; i < nr_added; i++) {
		const struct entry *e = &entries[i % NR_ENTRIES];
		u64 sec = div_u64(e->when, NSEC_PER_SEC);
		u64 usec = div_u64(e->when - sec * NSEC_PER_SEC, NSEC_PER_USEC);

		seq_printf(m, "[%5llu.%06llu] tlob: error: %s\n", sec, usec,
			   e->reason);
		seq_printf(m, "%s%s\n", command, e->text);
		seq_printf(m, "%*s^\n",
			   (int)(sizeof(command) - 1 + e->caret), "");
	}
}
