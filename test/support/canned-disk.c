/*
 * Stands in for a disk whose answers are written down beforehand: loaded before libc, it answers ioctl(SG_IO) on any descriptor. The answer
 * to operation code XX is in the file "answer-XX" of the folder $CANNED_DISK_FOLDER:
 *
 *      0  status    1  host_status    2  driver_status    3  errno the call fails with    4  bytes of sense data
 *      5..  sense data, then data from the device
 *
 * Without that file the answer is GOOD. Each call adds a line to the file "calls": CDB, a blank, data for the device, in hexadecimal.
 * What QEMU asks of a SCSI generic device besides is answered as well: the version of the interface, and an address of zeros.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <scsi/sg.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static FILE *open_in_folder(const char *mode, const char *name, int number)
{
    char path[4096];
    int length = snprintf(path, sizeof(path), "%s/", getenv("CANNED_DISK_FOLDER"));
    snprintf(path + length, sizeof(path) - length, name, number);
    return fopen(path, mode);
}

static void note_call(const sg_io_hdr_t *io)
{
    FILE *calls = open_in_folder("a", "calls", 0);
    if (calls == NULL) {
        abort();
    }
    for (int i = 0; i < io->cmd_len; i++) {
        fprintf(calls, "%02x", io->cmdp[i]);
    }
    fputc(' ', calls);
    for (unsigned int i = 0; io->dxfer_direction == SG_DXFER_TO_DEV && i < io->dxfer_len; i++) {
        fprintf(calls, "%02x", ((unsigned char *)io->dxferp)[i]);
    }
    fputc('\n', calls);
    fclose(calls);
}

static int answer(sg_io_hdr_t *io)
{
    unsigned char canned[70000] = {0};
    size_t size = 5;
    note_call(io);
    FILE *file = open_in_folder("r", "answer-%02x", io->cmdp[0]);
    if (file != NULL) {
        size = fread(canned, 1, sizeof(canned), file);
        fclose(file);
    }
    if (canned[3] != 0) {
        errno = canned[3];
        return -1;
    }
    io->status = canned[0];
    io->masked_status = (canned[0] >> 1) & 0x1f;
    io->host_status = canned[1];
    io->driver_status = canned[2];
    io->info = canned[0] != 0 || canned[1] != 0 || canned[2] != 0 ? SG_INFO_CHECK : SG_INFO_OK;
    io->sb_len_wr = canned[4] < io->mx_sb_len ? canned[4] : io->mx_sb_len;
    if (io->sb_len_wr > 0) {
        memcpy(io->sbp, canned + 5, io->sb_len_wr);
    }
    if (io->dxfer_direction == SG_DXFER_FROM_DEV) {
        unsigned int sent = size - 5 - canned[4];
        sent = sent < io->dxfer_len ? sent : io->dxfer_len;
        memcpy(io->dxferp, canned + 5 + canned[4], sent);
        io->resid = io->dxfer_len - sent;
    }
    return 0;
}

int ioctl(int fd, unsigned long request, ...)
{
    va_list arguments;
    va_start(arguments, request);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    switch (request) {
    case SG_IO:
        return answer(argument);
    case SG_GET_VERSION_NUM:
        *(int *)argument = 30536;
        return 0;
    case SG_GET_SCSI_ID:
        memset(argument, 0, sizeof(struct sg_scsi_id));
        return 0;
    default:
        return (int)syscall(SYS_ioctl, fd, request, argument);
    }
}
