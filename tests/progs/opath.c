// SPDX-License-Identifier: GPL-2.0-only
/*
 * opath - hold files by O_PATH, and open them by that later
 *
 *   opath FILE...
 *
 * Prints "ready", and waits for a line. Then opens what it holds by its link in
 * /proc, for reading and for writing; reads or writes a byte where that works.
 * Prints "opened=N moved=N held=N".
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <unistd.h>

#include "common.h"

int main(int argc, char **argv)
{
	static const int modes[] = { O_RDONLY, O_WRONLY, O_RDWR };
	unsigned int opened = 0, moved = 0, m;
	char path[64], c = '1';
	int *fds = calloc(argc, sizeof(*fds)), i, fd;

	if (!fds)
		die("calloc");
	for (i = 1; i < argc; i++) {
		fds[i] = open(argv[i], O_PATH | O_CLOEXEC);
		if (fds[i] < 0)
			die(argv[i]);
	}
	puts("ready");
	fflush(stdout);
	if (getchar() == EOF)
		die("stdin");
	for (i = 1; i < argc; i++) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fds[i]);
		for (m = 0; m < sizeof(modes) / sizeof(modes[0]); m++) {
			fd = open(path, modes[m] | O_CLOEXEC);
			if (fd < 0)
				continue;
			opened++;
			if (modes[m] != O_WRONLY)
				moved += read(fd, &c, 1) > 0;
			if (modes[m] != O_RDONLY)
				moved += write(fd, &c, 1) > 0;
			close(fd);
		}
	}
	printf("opened=%u moved=%u held=%d\n", opened, moved, argc - 1);
	return 0;
}
