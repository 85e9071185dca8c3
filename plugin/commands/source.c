/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Python's source files, whose names come from the process: only plain files are opened. */
#include "commands.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

FILE *p3_source_open(const char *path)
{
	/* A FIFO would block, a device may do anything. */
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY) : -1;
	struct stat status;
	FILE *file;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
		close(fd);
		errno = EINVAL;
		return NULL;
	}
	file = fdopen(fd, "r");
	if (!file)
		close(fd);
	return file;
}

void p3_source_done(FILE **file)
{
	if (*file)
		fclose(*file);
}
