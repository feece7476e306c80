/* SPDX-License-Identifier: GPL-2.0-only */
/* Results of a host test as KTAP: plan last, a line a case. */
#ifndef _HOST_KTAP_H
#define _HOST_KTAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

static int ktap_cases, ktap_failures;
static bool ktap_case_failed;

static inline void ktap_begin(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	puts("KTAP version 1");
}

/* A check within the present case; says why if it does not hold. */
__attribute__((format(printf, 2, 3)))
static inline bool check(bool holds, const char *fmt, ...)
{
	va_list ap;

	if (holds)
		return true;
	ktap_case_failed = true;
	va_start(ap, fmt);
	printf("# ");
	vprintf(fmt, ap);
	printf("\n");
	va_end(ap);
	return false;
}

static inline void ktap_case(const char *name)
{
	printf("%s %d %s\n", ktap_case_failed ? "not ok" : "ok", ++ktap_cases,
	       name);
	ktap_failures += ktap_case_failed;
	ktap_case_failed = false;
}

static inline int ktap_end(void)
{
	printf("1..%d\n", ktap_cases);
	return ktap_failures ? 1 : 0;
}

#endif /* _HOST_KTAP_H */
