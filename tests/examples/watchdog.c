// SPDX-License-Identifier: GPL-2.0-only
/* A worker marks its requests; a watchdog says where one hangs while it hangs. */
#include <err.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "../../include/uapi/linux/tlob.h"

static int tlob;

static void *watchdog(void *arg)
{
	struct pollfd p = { .fd = tlob, .events = POLLIN };
	struct tlob_event e;
	char path[64], where[4096];
	ssize_t n;
	int fd;

	while (poll(&p, 1, -1) == 1 && read(tlob, &e, sizeof(e)) == sizeof(e)) {
		printf("request %llu: late, %.1f ms: running %.1f waiting %.1f sleeping %.1f\n",
		       e.tag, e.elapsed_ns / 1e6, e.running_ns / 1e6,
		       e.waiting_ns / 1e6, e.sleeping_ns / 1e6);
		snprintf(path, sizeof(path), "/proc/self/task/%u/stack", e.tid);
		fd = open(path, O_RDONLY);
		n = fd < 0 ? 0 : read(fd, where, sizeof(where) - 1);
		where[n > 0 ? n : 0] = '\0';
		printf("at: %s\n", strtok(where, "\n") ? where : "user space");
		close(fd);
	}
	return arg;
}

int main(void)
{
	pthread_t thread;
	unsigned int i;

	tlob = open("/dev/tlob", O_RDWR);
	if (tlob < 0)
		err(1, "/dev/tlob");
	setvbuf(stdout, NULL, _IOLBF, 0);
	pthread_create(&thread, NULL, watchdog, NULL);
	for (i = 0; i < 6; i++) {
		struct tlob_start_args args = { .threshold_ns = 50000000, .tag = i };

		if (ioctl(tlob, TLOB_IOCTL_TRACE_START, &args))
			err(1, "start");
		usleep(i == 3 ? 300000 : 2000);		/* the request */
		printf("request %u: done, %s\n", i,
		       ioctl(tlob, TLOB_IOCTL_TRACE_STOP) ? "late" : "in time");
	}
	return 0;
}
