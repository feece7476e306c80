/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers by chance that a seed brings back, a stream for each who asks. */
#ifndef _CHANCE_H
#define _CHANCE_H

#include <stdint.h>

struct chance {
	uint64_t s;
};

static inline uint64_t chance_u64(struct chance *c)
{
	uint64_t z = c->s += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

/* 0 to @n - 1 */
static inline unsigned int chance(struct chance *c, unsigned int n)
{
	return chance_u64(c) % n;
}

static inline struct chance chance_stream(uint64_t seed, uint64_t stream)
{
	struct chance c = { seed ^ stream << 40 };

	c.s = chance_u64(&c);
	return c;
}

#endif /* _CHANCE_H */
