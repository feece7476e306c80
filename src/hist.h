/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Log-linear buckets of lengths: every power of two in 16 equal parts, so that
 * a bucket is at most 1/16 of its lower end wide. Pure: runs on the host too.
 */
#ifndef _TLOB_HIST_H
#define _TLOB_HIST_H

#include <linux/types.h>

#define TLOB_HIST_SUB_BITS	4
#define TLOB_HIST_SUB		16U
/* Lengths of 2^44 ns, five hours, and above share the last bucket. */
#define TLOB_HIST_TOP_BITS	44
#define TLOB_HIST_BUCKETS \
	((TLOB_HIST_TOP_BITS - TLOB_HIST_SUB_BITS + 1) * TLOB_HIST_SUB + 1)

/**
 * struct tlob_hist - counts of lengths
 * @count: by bucket
 */
struct tlob_hist {
	u64 count[TLOB_HIST_BUCKETS];
};

/**
 * tlob_hist_bucket - the bucket that a length falls in
 * @ns: length
 *
 * Return: below TLOB_HIST_BUCKETS; rises with @ns.
 */
static inline unsigned int tlob_hist_bucket(u64 ns)
{
	unsigned int shift;

	if (ns < TLOB_HIST_SUB)
		return ns;
	if (ns >> TLOB_HIST_TOP_BITS)
		return TLOB_HIST_BUCKETS - 1;
	/* So that the top bit and the SUB_BITS below it remain. */
	shift = 63 - __builtin_clzll(ns) - TLOB_HIST_SUB_BITS;
	return shift * TLOB_HIST_SUB + (ns >> shift);
}

/**
 * tlob_hist_low - the shortest length of a bucket
 * @bucket: below TLOB_HIST_BUCKETS
 *
 * Return: ns.
 */
static inline u64 tlob_hist_low(unsigned int bucket)
{
	unsigned int shift = bucket / TLOB_HIST_SUB;

	if (!shift)
		return bucket;
	shift--;
	return (u64)(bucket - shift * TLOB_HIST_SUB) << shift;
}

/**
 * tlob_hist_high - the longest length of a bucket
 * @bucket: below TLOB_HIST_BUCKETS
 *
 * Return: ns.
 */
static inline u64 tlob_hist_high(unsigned int bucket)
{
	if (bucket == TLOB_HIST_BUCKETS - 1)
		return ~0ULL;
	return tlob_hist_low(bucket + 1) - 1;
}

#endif /* _TLOB_HIST_H */
