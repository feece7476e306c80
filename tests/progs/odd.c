// SPDX-License-Identifier: GPL-2.0-only
/*
 * odd - instructions that uprobes refuse; none is executed
 *
 * Prints "ready" and waits for a byte on stdin, so that the file is mapped.
 */
#include <stdio.h>
#include <unistd.h>

#define odd(name, insn)					\
	asm(".text\n\t.globl " #name "\n\t"		\
	    ".type " #name ", @function\n"		\
	    #name ":\n\t" insn "\n\tret\n\t"		\
	    ".size " #name ", .-" #name)

odd(odd_lock, "lock incl (%rax)");
odd(odd_int3, "int3");
odd(odd_in, "inb %dx, %al");
odd(odd_long, ".fill 16, 1, 0x66");	/* no instruction is so long */
odd(odd_plain, "nop\n\tnop\n\tnop");

int main(void)
{
	char c;

	puts("ready");
	fflush(stdout);
	return read(0, &c, 1) != 1;
}
