/*
 * Kills the program it is loaded into (LD_PRELOAD) between two bytes of what that sends to or receives from clients: the call that reaches
 * the limit moves bytes up to it and no further, then the program gets SIGKILL. A client's socket has the name of the one that listens;
 * those that a program has between its own threads have none, and are left alone.
 *
 *   BREAK_SENT=N      after N bytes were sent
 *   BREAK_RECEIVED=N  after N bytes were received
 *
 * Descriptors travel with the first byte of a message, as always.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

enum { IOV_MAX_HERE = 64 };

static long sent, received;

static long limit_of(const char *name) {
  const char *text = getenv(name);
  return text == NULL ? -1 : atol(text);
}

static int is_clients(int fd) {
  struct sockaddr_un name;
  socklen_t length = sizeof name;
  return getsockname(fd, (struct sockaddr *)&name, &length) == 0 && length > sizeof name.sun_family;
}

static void die(void) {
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

/* A copy of the message that has no more than `room` bytes. */
static struct msghdr cut(const struct msghdr *message, struct iovec *iov, size_t room) {
  struct msghdr copy = *message;
  size_t count = 0;
  for (; count < message->msg_iovlen && count < IOV_MAX_HERE && room > 0; count += 1) {
    iov[count] = message->msg_iov[count];
    if (iov[count].iov_len > room) iov[count].iov_len = room;
    room -= iov[count].iov_len;
  }
  copy.msg_iov = iov;
  copy.msg_iovlen = count;
  return copy;
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
  ssize_t (*real)(int, const struct msghdr *, int) = (ssize_t(*)(int, const struct msghdr *, int))dlsym(RTLD_NEXT, "sendmsg");
  long limit = limit_of("BREAK_SENT");
  if (limit < 0 || !is_clients(fd)) return real(fd, message, flags);
  if (sent >= limit) die();
  struct iovec iov[IOV_MAX_HERE];
  struct msghdr copy = cut(message, iov, (size_t)(limit - sent));
  ssize_t done = real(fd, &copy, flags);
  if (done > 0) sent += done;
  if (sent >= limit) die();
  return done;
}

ssize_t send(int fd, const void *bytes, size_t size, int flags) {
  struct iovec iov = {.iov_base = (void *)bytes, .iov_len = size};
  struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
  return sendmsg(fd, &message, flags);
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags) {
  ssize_t (*real)(int, struct msghdr *, int) = (ssize_t(*)(int, struct msghdr *, int))dlsym(RTLD_NEXT, "recvmsg");
  long limit = limit_of("BREAK_RECEIVED");
  if (limit < 0 || !is_clients(fd)) return real(fd, message, flags);
  if (received >= limit) die();
  struct iovec iov[IOV_MAX_HERE];
  struct msghdr copy = cut(message, iov, (size_t)(limit - received));
  ssize_t done = real(fd, &copy, flags);
  message->msg_controllen = copy.msg_controllen;
  message->msg_flags = copy.msg_flags;
  if (done > 0) received += done;
  if (received >= limit) die();
  return done;
}

ssize_t recv(int fd, void *bytes, size_t size, int flags) {
  struct iovec iov = {.iov_base = bytes, .iov_len = size};
  struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
  return recvmsg(fd, &message, flags);
}
