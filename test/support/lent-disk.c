/*
 * Lends a program the disk of the test that started it: loaded before libc, it hands ioctl(SG_IO) on any descriptor to the Unix socket
 * $LENT_DISK_SOCKET and waits for the answer. Numbers are little-endian, as on every machine that these tests run on.
 *
 *      request                                        answer
 *      0     bytes of the CDB                         0     status
 *      1     0 no data, 1 to the disk, 2 from it      1     bytes of sense data
 *      2     room for sense data                      2..3  host status
 *      4..7  bytes of data                            4..7  bytes of data
 *      8..   CDB, then data to the disk               8..   sense data, then data from the disk
 */
#define _GNU_SOURCE
#include <errno.h>
#include <scsi/sg.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

static int connection(void)
{
    static int fd = -1;
    if (fd < 0) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        strncpy(address.sun_path, getenv("LENT_DISK_SOCKET"), sizeof(address.sun_path) - 1);
        fd = socket(AF_UNIX, SOCK_STREAM, 0);
        if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
            abort();
        }
    }
    return fd;
}

static void transfer(ssize_t (*step)(int, void *, size_t), void *bytes, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t moved = step(connection(), (char *)bytes + done, size - done);
        if (moved <= 0) {
            abort();
        }
        done += moved;
    }
}

static ssize_t send_step(int fd, void *bytes, size_t size)
{
    return write(fd, bytes, size);
}

static ssize_t receive_step(int fd, void *bytes, size_t size)
{
    return read(fd, bytes, size);
}

static int execute(sg_io_hdr_t *io)
{
    unsigned char header[8] = {io->cmd_len, 0, io->mx_sb_len};
    uint32_t size = io->dxfer_direction == SG_DXFER_NONE ? 0 : io->dxfer_len;
    header[1] = size == 0 ? 0 : io->dxfer_direction == SG_DXFER_TO_DEV ? 1 : 2;
    memcpy(header + 4, &size, 4);
    transfer(send_step, header, sizeof(header));
    transfer(send_step, io->cmdp, io->cmd_len);
    if (header[1] == 1) {
        transfer(send_step, io->dxferp, size);
    }
    transfer(receive_step, header, sizeof(header));
    memcpy(&size, header + 4, 4);
    io->status = header[0];
    io->masked_status = (header[0] >> 1) & 0x1f;
    io->sb_len_wr = header[1];
    io->host_status = header[2] | header[3] << 8;
    io->driver_status = header[1] > 0 ? 8 : 0;
    io->info = header[0] != 0 || io->host_status != 0 ? SG_INFO_CHECK : SG_INFO_OK;
    io->resid = io->dxfer_direction == SG_DXFER_FROM_DEV ? io->dxfer_len - size : 0;
    io->duration = 0;
    transfer(receive_step, io->sbp, header[1]);
    transfer(receive_step, io->dxferp, size);
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
        return execute(argument);
    case SG_GET_VERSION_NUM:
        *(int *)argument = 30536;
        return 0;
    default:
        return (int)syscall(SYS_ioctl, fd, request, argument);
    }
}
