/*
 * Stands in for a disk: loaded before libc, it answers ioctl(SG_IO) on any descriptor and leaves all other requests alone.
 * What it answers is in the bytes of the CDB that a reservation command does not use:
 *
 *      9  errno the call fails with      11  host_status       13  bytes of sense data
 *     10  status                         12  driver_status     14  residual, in units of 64 bytes
 *     15  not 0: the call waits until the file "release-N" exists, N being this byte
 *
 * Data from the device, and sense data behind its first 18 bytes, tell what the call asked for. Each call puts its operation code into
 * the file "calls", behind a count of 8 bytes; no operation code of a reservation command is 0. Both files are in the folder
 * $SG_SHIM_FOLDER. "calls" is mapped when a program is loaded: no call needs a descriptor, of which a test may have left none.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <scsi/sg.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static void in_folder(char *path, size_t size, const char *name, int number)
{
    snprintf(path, size, name, getenv("SG_SHIM_FOLDER"), number);
}

enum { CALLS_MAX = 65536 - sizeof(uint64_t) };

/* Shared by all programs that are started with the same folder. */
static struct {
    uint64_t count;
    unsigned char operation_codes[CALLS_MAX];
} *calls = MAP_FAILED;

__attribute__((constructor)) static void map_calls(void)
{
    if (getenv("SG_SHIM_FOLDER") == NULL) {
        return;
    }
    char path[4096];
    in_folder(path, sizeof(path), "%s/calls", 0);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        return; /* only a call needs it */
    }
    if (ftruncate(fd, sizeof(*calls)) == 0) {
        calls = mmap(NULL, sizeof(*calls), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    }
    close(fd);
}

static void note_call(unsigned char operation_code)
{
    if (calls == MAP_FAILED) {
        abort();
    }
    uint64_t number = __atomic_fetch_add(&calls->count, 1, __ATOMIC_SEQ_CST);
    if (number >= CALLS_MAX) {
        abort();
    }
    __atomic_store_n(&calls->operation_codes[number], operation_code, __ATOMIC_SEQ_CST);
}

static void wait_for_release(int number)
{
    char path[4096];
    in_folder(path, sizeof(path), "%s/release-%d", number);
    while (access(path, F_OK) != 0) {
        usleep(1000);
    }
}

static void describe(const sg_io_hdr_t *io, unsigned char *bytes, unsigned int size)
{
    int fields[] = {io->interface_id, io->dxfer_len > 0 ? io->dxfer_direction : SG_DXFER_NONE,
                    io->cmd_len, io->mx_sb_len, io->iovec_count, (int)io->dxfer_len, (int)io->flags};
    for (unsigned int i = 0; i < size; i++) {
        bytes[i] = i < sizeof(fields) ? ((unsigned char *)fields)[i] : (unsigned char)(i * 7);
    }
}

static int answer(sg_io_hdr_t *io)
{
    const unsigned char *cdb = io->cmdp;
    note_call(cdb[0]);
    if (cdb[15] != 0) {
        wait_for_release(cdb[15]);
    }
    if (cdb[9] != 0) {
        errno = cdb[9];
        return -1;
    }
    io->status = cdb[10];
    io->host_status = cdb[11];
    io->driver_status = cdb[12];
    io->sb_len_wr = cdb[13] < io->mx_sb_len ? cdb[13] : io->mx_sb_len;
    io->resid = cdb[14] * 64 < (int)io->dxfer_len ? cdb[14] * 64 : (int)io->dxfer_len;
    unsigned char sense[256] = {0x70, 0, 0x0b, 0, 0, 0, 0, sizeof(sense) - 8, 0, 0, 0, 0, 0x4b, 0x01};
    describe(io, sense + 18, sizeof(sense) - 18);
    if (io->dxfer_direction == SG_DXFER_TO_DEV && io->dxfer_len >= 4) {
        memcpy(sense + 60, io->dxferp, 4);
    }
    if (io->sb_len_wr > 0) {
        memcpy(io->sbp, sense, io->sb_len_wr);
    }
    if (io->dxfer_direction == SG_DXFER_FROM_DEV) {
        describe(io, io->dxferp, io->dxfer_len - io->resid);
    }
    return 0;
}

int ioctl(int fd, unsigned long request, ...)
{
    va_list arguments;
    va_start(arguments, request);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    return request == SG_IO ? answer(argument) : (int)syscall(SYS_ioctl, fd, request, argument);
}
