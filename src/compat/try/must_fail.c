// SPDX-License-Identifier: GPL-2.0-only
/* Control: compiles on no kernel. */
#include <linux/hrtimer.h>
#include <linux/uprobes.h>

void try(struct hrtimer *timer);
void try(struct hrtimer *timer)
{
	tlob_no_such_function(timer);
}
