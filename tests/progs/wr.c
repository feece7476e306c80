// SPDX-License-Identifier: GPL-2.0-only
/*
 * wr - write stdin to a file with write(2) and print what came back
 *
 * wr [-l] FILE: one write of all of stdin; prints the count or
 * the errno's name with a minus. -l goes on after a short
 * write and prints a line per write.
 */
#include "errname.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int again = 0, opt, fd;
	size_t len = 0, cap = 1 << 20, pos = 0;
	char *buf = malloc(cap);
	ssize_t n;

	while ((opt = getopt(argc, argv, "l")) != -1) {
		switch (opt) {
		case 'l':
			again = 1;
			break;
		default:
			return 2;
		}
	}
	if (!buf || optind != argc - 1)
		return 2;
	while ((n = read(0, buf + len, cap - len)) > 0)
		len += n;
	fd = open(argv[optind], O_WRONLY);
	if (fd < 0) {
		printf("open: -%s\n", strerrorname_np(errno));
		return 1;
	}
	do {
		n = write(fd, buf + pos, len - pos);
		if (n < 0) {
			printf("-%s\n", strerrorname_np(errno));
			return 1;
		}
		printf("%zd\n", n);
		pos += n;
	} while (again && n && pos < len);
	return 0;
}
