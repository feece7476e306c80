// SPDX-License-Identifier: GPL-2.0-only
/*
 * nops - a function of 200 one-byte instructions, a place for 200 probes
 *
 * nops COUNT US: runs it COUNT times, sleeps US, runs the end each time.
 */
#include <stdlib.h>
#include <time.h>

void nops_run(void);
void nops_end(void);

asm(".text\n\t.globl nops_run\n\t.type nops_run, @function\n"
    "nops_run:\n\t.rept 200\n\tnop\n\t.endr\n\tret\n\t"
    ".size nops_run, .-nops_run\n\t"
    ".globl nops_end\n\t.type nops_end, @function\n"
    "nops_end:\n\tnop\n\tret\n\t.size nops_end, .-nops_end");

int main(int argc, char **argv)
{
	struct timespec ts = { 0 };
	int n;

	if (argc != 3)
		return 2;
	ts.tv_nsec = atol(argv[2]) * 1000;
	for (n = atoi(argv[1]); n > 0; n--) {
		nops_run();
		nanosleep(&ts, NULL);
		nops_end();
	}
	return 0;
}
