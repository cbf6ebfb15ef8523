/*
 * A minimal client of the PR helper protocol, to compare the library's client with.
 *
 *     client SOCKET FILE COUNT [CLIENTS]
 *
 * Connects, greets, sends COUNT times PERSISTENT RESERVE IN, READ KEYS, with the descriptor of FILE, waits for each response, and prints
 * the nanoseconds that all of them took. With CLIENTS (1) that many threads do so at once, each on a connection of its own, and the
 * nanoseconds are the mean of theirs; they start together, when all are connected.
 */
#include <fcntl.h>
#include <pthread.h>
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

struct client {
  pthread_t thread;
  const char *path;
  int file;
  long count;
  pthread_barrier_t *start;
  long long nanoseconds;
};

static int connect_to(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path, path, sizeof address.sun_path - 1);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0) fail("connect");
  uint8_t features[4];
  receive(fd, features, sizeof features);
  memset(features, 0, sizeof features);
  if (write(fd, features, sizeof features) != (ssize_t)sizeof features) fail("write");
  return fd;
}

static void *run(void *argument) {
  struct client *client = argument;
  int fd = connect_to(client->path);
  uint8_t response[HEADER_SIZE + DATA_MAX];
  const uint8_t request[REQUEST_SIZE] = {0x5e, 0, 0, 0, 0, 0, 0, 0x20, 0x00, 0};
  struct timespec begin, end;
  pthread_barrier_wait(client->start);
  clock_gettime(CLOCK_MONOTONIC, &begin);
  for (long i = 0; i < client->count; i += 1) {
    send_request(fd, request, client->file);
    receive(fd, response, HEADER_SIZE);
    uint32_t size = (uint32_t)response[4] << 24 | (uint32_t)response[5] << 16 | (uint32_t)response[6] << 8 | response[7];
    if (size > DATA_MAX) exit(3);
    receive(fd, response + HEADER_SIZE, size);
  }
  clock_gettime(CLOCK_MONOTONIC, &end);
  client->nanoseconds = (long long)(end.tv_sec - begin.tv_sec) * 1000000000LL + (end.tv_nsec - begin.tv_nsec);
  close(fd);
  return NULL;
}

int main(int argc, char **argv) {
  if (argc < 4 || argc > 5) return 2;
  int file = open(argv[2], O_RDWR | O_CLOEXEC);
  long number = argc == 5 ? strtol(argv[4], NULL, 10) : 1;
  struct client *clients = number < 1 ? NULL : calloc((size_t)number, sizeof *clients);
  pthread_barrier_t start;
  if (file < 0 || clients == NULL || pthread_barrier_init(&start, NULL, (unsigned)number) != 0) fail("start");

  for (long i = 0; i < number; i += 1) {
    clients[i] = (struct client){.path = argv[1], .file = file, .count = strtol(argv[3], NULL, 10), .start = &start};
    if (pthread_create(&clients[i].thread, NULL, run, &clients[i]) != 0) fail("pthread_create");
  }
  long long nanoseconds = 0;
  for (long i = 0; i < number; i += 1) {
    pthread_join(clients[i].thread, NULL);
    nanoseconds += clients[i].nanoseconds;
  }
  printf("%lld\n", nanoseconds / number);
  return 0;
}
