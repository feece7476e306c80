// SPDX-License-Identifier: GPL-2.0-only
/* cflags: -m32 -nostdlib -static -no-pie -fno-pie -ffreestanding -fno-stack-protector */
/*
 * compat_return - an i386 program with a function that returns a struct
 *
 * The caller hands a hidden pointer to it on the stack, and the function takes
 * it off: it ends in `ret $4`. Calls it three times, once from within itself.
 */
struct big {
	int v[8];
};

struct big make_big(int depth);

__attribute__((noinline, noclone)) struct big make_big(int depth)
{
	struct big b = { { depth } };

	if (depth)
		b.v[1] = make_big(depth - 1).v[0];
	return b;
}

void _start(void)
{
	int i, sum = 0;

	for (i = 0; i < 3; i++)
		sum += make_big(i == 1).v[1];
	asm volatile("int $0x80" : : "a" (1), "b" (sum));
	__builtin_unreachable();
}
