/*
 * A FUSE file system for tests: one file that can be opened, and whose FLUSH is answered to nobody but the thread that started this program:
 * for everybody else close(2) waits until this program ends.
 *
 *     mute-fuse FOLDER
 *
 * It mounts on FOLDER in a mount namespace of its own, which others reach as /proc/PID/root, so that nothing is left when it ends, however
 * it does. It prints a line when it serves. Status 77: this system does not allow it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { NOT_ALLOWED = 77, FILE_NODE = 2, BUFFER_SIZE = 1 << 20 };

static int device;
static pid_t starter;

static void answer(const struct fuse_in_header *request, int error, const void *data, size_t size)
{
    struct fuse_out_header header = {.len = sizeof(header) + size, .error = -error, .unique = request->unique};
    struct iovec parts[2] = {{&header, sizeof(header)}, {(void *)data, size}};
    if (writev(device, parts, size > 0 ? 2 : 1) < 0 && errno != ENOENT) {
        perror("mute-fuse: writev");
        exit(1);
    }
}

static struct fuse_attr attributes(unsigned long long node)
{
    struct fuse_attr attr = {.ino = node, .mode = node == FILE_NODE ? S_IFREG | 0666 : S_IFDIR | 0755, .nlink = 1, .blksize = 4096};
    return attr;
}

static void serve(const struct fuse_in_header *request, const void *argument)
{
    switch (request->opcode) {
    case FUSE_INIT: {
        const struct fuse_init_in *init = argument;
        struct fuse_init_out out = {.major = FUSE_KERNEL_VERSION, .minor = init->minor, .max_readahead = 4096, .max_write = 4096};
        answer(request, 0, &out, sizeof(out));
        return;
    }
    case FUSE_LOOKUP: {
        struct fuse_entry_out out = {.nodeid = FILE_NODE, .entry_valid = 3600, .attr_valid = 3600, .attr = attributes(FILE_NODE)};
        answer(request, 0, &out, sizeof(out));
        return;
    }
    case FUSE_GETATTR: {
        struct fuse_attr_out out = {.attr_valid = 3600, .attr = attributes(request->nodeid)};
        answer(request, 0, &out, sizeof(out));
        return;
    }
    case FUSE_OPEN: {
        struct fuse_open_out out = {.fh = 1};
        answer(request, 0, &out, sizeof(out));
        return;
    }
    case FUSE_FLUSH:
        if (request->pid == (uint32_t)starter) {
            answer(request, 0, NULL, 0);
        }
        return;
    case FUSE_FORGET:
    case FUSE_BATCH_FORGET:
    case FUSE_INTERRUPT:
        return;
    case FUSE_RELEASE:
        answer(request, 0, NULL, 0);
        return;
    default:
        answer(request, ENOSYS, NULL, 0);
    }
}

static int refused(const char *what)
{
    fprintf(stderr, "mute-fuse: %s: %s\n", what, strerror(errno));
    return NOT_ALLOWED;
}

int main(int argc, char **argv)
{
    static char buffer[BUFFER_SIZE] __attribute__((aligned(8)));
    char options[128];
    if (argc != 2) {
        return 2;
    }
    starter = getppid();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) {
        return refused("a mount namespace");
    }
    device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
    if (device < 0) {
        return refused("/dev/fuse");
    }
    snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other", device);
    if (mount("mute", argv[1], "fuse.mute", MS_NOSUID | MS_NODEV, options) != 0) {
        return refused("mount");
    }
    puts("serves");
    fflush(stdout);
    for (;;) {
        ssize_t length = read(device, buffer, sizeof(buffer));
        if (length < 0 && (errno == EINTR || errno == ENOENT)) {
            continue;
        }
        if (length < 0) {
            return errno == ENODEV ? 0 : 1;
        }
        serve((const struct fuse_in_header *)buffer, buffer + sizeof(struct fuse_in_header));
    }
}
