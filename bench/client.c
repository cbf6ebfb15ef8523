/*
 * A minimal client of the PR helper protocol, to compare the library's client with.
 *
 *     client SOCKET FILE COUNT
 *
 * Connects, greets, sends COUNT times PERSISTENT RESERVE IN, READ KEYS, with the descriptor of FILE, waits for each response, and prints
 * the nanoseconds that all of them took.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { REQUEST_SIZE = 16, HEADER_SIZE = 104, DATA_MAX = 8192 };

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static void receive(int fd, uint8_t *bytes, size_t size) {
  while (size > 0) {
    ssize_t got = read(fd, bytes, size);
    if (got <= 0) fail("read");
    bytes += got;
    size -= (size_t)got;
  }
}

static void send_request(int fd, const uint8_t *request, int file) {
  union {
    struct cmsghdr header;
    char space[CMSG_SPACE(sizeof(int))];
  } control;
  struct iovec iov = {.iov_base = (void *)request, .iov_len = REQUEST_SIZE};
  struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  memset(&control, 0, sizeof control);
  control.header.cmsg_len = CMSG_LEN(sizeof(int));
  control.header.cmsg_level = SOL_SOCKET;
  control.header.cmsg_type = SCM_RIGHTS;
  memcpy(CMSG_DATA(&control.header), &file, sizeof file);
  if (sendmsg(fd, &message, MSG_NOSIGNAL) != REQUEST_SIZE) fail("sendmsg");
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path, argv[1], sizeof address.sun_path - 1);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int file = open(argv[2], O_RDWR | O_CLOEXEC);
  long count = strtol(argv[3], NULL, 10);
  if (fd < 0 || file < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0) fail("connect");

  uint8_t features[4], response[HEADER_SIZE + DATA_MAX];
  receive(fd, features, sizeof features);
  memset(features, 0, sizeof features);
  if (write(fd, features, sizeof features) != (ssize_t)sizeof features) fail("write");

  const uint8_t request[REQUEST_SIZE] = {0x5e, 0, 0, 0, 0, 0, 0, 0x20, 0x00, 0};
  struct timespec begin, end;
  clock_gettime(CLOCK_MONOTONIC, &begin);
  for (long i = 0; i < count; i += 1) {
    send_request(fd, request, file);
    receive(fd, response, HEADER_SIZE);
    uint32_t size = (uint32_t)response[4] << 24 | (uint32_t)response[5] << 16 | (uint32_t)response[6] << 8 | response[7];
    if (size > DATA_MAX) return 3;
    receive(fd, response + HEADER_SIZE, size);
  }
  clock_gettime(CLOCK_MONOTONIC, &end);
  printf("%lld\n", (long long)(end.tv_sec - begin.tv_sec) * 1000000000LL + (end.tv_nsec - begin.tv_nsec));
  return 0;
}
