/*
 * The least that can be called a PR helper, to measure its client: one connection at a time, every PERSISTENT RESERVE IN is answered with
 * 8 bytes, every PERSISTENT RESERVE OUT with GOOD.
 *
 *     quick-helper SOCKET
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { REQUEST_SIZE = 16, HEADER_SIZE = 104, DATA_SIZE = 8, PARAMETERS_MAX = 8192 };

/* Receives exactly `size` bytes and closes what descriptors come with them; 0 at the end of the stream. */
static int receive(int fd, uint8_t *bytes, size_t size) {
  while (size > 0) {
    char control[CMSG_SPACE(sizeof(int))];
    struct iovec iov = {.iov_base = bytes, .iov_len = size};
    struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    ssize_t got = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
    if (got <= 0) return 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c != NULL; c = CMSG_NXTHDR(&message, c)) {
      int lent;
      memcpy(&lent, CMSG_DATA(c), sizeof lent);
      close(lent);
    }
    bytes += got;
    size -= (size_t)got;
  }
  return 1;
}

static void serve(int fd) {
  uint8_t request[REQUEST_SIZE], parameters[PARAMETERS_MAX], response[HEADER_SIZE + DATA_SIZE] = {0};
  if (write(fd, response, 4) != 4 || !receive(fd, request, 4)) return;
  while (receive(fd, request, sizeof request)) {
    size_t length = (size_t)request[7] << 8 | request[8];
    int out = request[0] == 0x5f;
    if (out && (length > sizeof parameters || !receive(fd, parameters, length))) return;
    response[7] = out ? 0 : DATA_SIZE;
    size_t size = out ? HEADER_SIZE : HEADER_SIZE + DATA_SIZE;
    if (write(fd, response, size) != (ssize_t)size) return;
  }
}

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path, argv[1], sizeof address.sun_path - 1);
  int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 8) != 0) {
    perror(argv[1]);
    return 1;
  }
  for (;;) {
    int fd = accept(listener, NULL, NULL);
    if (fd < 0) continue;
    serve(fd);
    close(fd);
  }
}
