// SPDX-License-Identifier: GPL-2.0-only
/*
 * The buckets of src/hist.h: without gaps or overlaps, of every length, at
 * most 1/16 of their lower end wide.
 */
#include <stdint.h>

#include "hist.h"
#include "ktap.h"

#define LAST	(TLOB_HIST_BUCKETS - 1)

/* The bucket of @ns has it between its ends. */
static void holds(u64 ns)
{
	unsigned int b = tlob_hist_bucket(ns);

	if (!check(b < TLOB_HIST_BUCKETS, "%llu: bucket %u",
		   (unsigned long long)ns, b))
		return;
	check(tlob_hist_low(b) <= ns && ns <= tlob_hist_high(b),
	      "%llu: bucket %u is %llu to %llu", (unsigned long long)ns, b,
	      (unsigned long long)tlob_hist_low(b),
	      (unsigned long long)tlob_hist_high(b));
}

static void contiguous(void)
{
	unsigned int b;

	check(tlob_hist_low(0) == 0, "the first bucket begins at %llu",
	      (unsigned long long)tlob_hist_low(0));
	for (b = 0; b < LAST; b++)
		check(tlob_hist_high(b) + 1 == tlob_hist_low(b + 1) &&
		      tlob_hist_low(b) <= tlob_hist_high(b),
		      "a gap or an overlap behind bucket %u", b);
	check(tlob_hist_high(LAST) == UINT64_MAX, "the last bucket ends");
	ktap_case("buckets follow one another from 0 to the longest");
}

static void narrow(void)
{
	unsigned int b;
	u64 low, width;

	for (b = 0; b < LAST; b++) {
		low = tlob_hist_low(b);
		width = tlob_hist_high(b) - low + 1;
		check(width == 1 || width * 16 <= low,
		      "bucket %u is %llu wide from %llu on", b,
		      (unsigned long long)width, (unsigned long long)low);
	}
	ktap_case("no bucket is wider than 1/16 of its lower end");
}

static void ends(void)
{
	unsigned int b;

	for (b = 0; b < TLOB_HIST_BUCKETS; b++) {
		check(tlob_hist_bucket(tlob_hist_low(b)) == b,
		      "the lower end of bucket %u is not in it", b);
		check(tlob_hist_bucket(tlob_hist_high(b)) == b,
		      "the upper end of bucket %u is not in it", b);
	}
	ktap_case("both ends of a bucket are in it");
}

static void lengths(void)
{
	u64 ns, seed = 1;
	unsigned int i, shift;

	for (ns = 0; ns < 100000; ns++)
		holds(ns);
	for (shift = 0; shift < 64; shift++) {
		holds((1ull << shift) - 1);
		holds(1ull << shift);
		holds((1ull << shift) + 1);
	}
	holds(UINT64_MAX);
	for (i = 0; i < 100000; i++) {
		seed = seed * 6364136223846793005ull + 1442695040888963407ull;
		holds(seed >> (i % 64));
	}
	ktap_case("every length is in its bucket");
}

static void rises(void)
{
	u64 ns;
	unsigned int b, last = 0;

	for (ns = 0; ns < (1ull << 50); ns += 1 + ns / 100) {
		b = tlob_hist_bucket(ns);
		check(b >= last, "bucket %u of %llu is below %u", b,
		      (unsigned long long)ns, last);
		last = b;
	}
	/* A budget is at most an hour; windows may be longer. */
	check(tlob_hist_bucket(2 * 3600000000000ull) < LAST,
	      "two hours are in the last bucket");
	ktap_case("longer is never lower");
}

int main(void)
{
	ktap_begin();
	contiguous();
	narrow();
	ends();
	lengths();
	rises();
	return ktap_end();
}
