# Debian packages of an exact version, unpacked into a folder and run from there: nothing is installed on this machine.
# Sourced by the scripts beside it. Needs apt with a source of Debian, dpkg-deb, and the network that apt uses.

set -euo pipefail

folder="$(mktemp --directory)"
finish() {
  local job
  # A function in the background is a shell with the program below it.
  for job in $(jobs -p); do
    pkill --parent "$job" || true
    kill "$job" 2>/dev/null || true
  done
  rm -rf "$folder"
}
trap finish EXIT

# unpack SUITE PACKAGE=VERSION...: these and all that they depend on, into $folder/root.
unpack() {
  local suite="$1" state="$folder/apt" package
  shift
  mkdir -p "$state/lists/partial" "$state/cache/archives/partial" "$state/sources" "$folder/root"
  # The source that this machine uses, with another suite.
  awk 'BEGIN { RS = "" } NR == 1' /etc/apt/sources.list.d/debian.sources |
    sed --regexp-extended "s/^Suites:.*/Suites: $suite/; s/^Components:.*/Components: main/" >"$state/sources/debian.sources"
  : >"$state/status"
  local apt=(apt-get --quiet --quiet
    -o Dir::Etc::sourcelist=/dev/null -o "Dir::Etc::sourceparts=$state/sources" -o "Dir::State::lists=$state/lists"
    -o "Dir::State::status=$state/status" -o "Dir::Cache=$state/cache" -o Debug::NoLocking=1 -o APT::Sandbox::User=root)
  "${apt[@]}" update
  "${apt[@]}" install --yes --no-install-recommends --download-only "$@" >/dev/null
  for package in "$state"/cache/archives/*.deb; do dpkg-deb --extract "$package" "$folder/root"; done
}

# run_unpacked [--preload FILE] PROGRAM ARGUMENTS...: a program of $folder/root, by its path there, with the libraries that came with it.
run_unpacked() {
  local root="$folder/root" preload=()
  if [[ "$1" == --preload ]]; then
    preload=(--preload "$2")
    shift 2
  fi
  local program="$root/$1" loader
  shift
  loader="$root/lib64/ld-linux-x86-64.so.2"
  [[ -e "$loader" ]] || loader="$root/usr/lib64/ld-linux-x86-64.so.2"
  "$loader" "${preload[@]}" --library-path "$root/lib/x86_64-linux-gnu:$root/usr/lib/x86_64-linux-gnu" "$program" "$@"
}

# compile_disk: builds $folder/disk.so, which is loaded before a program and answers its SG_IO in place of a device: INQUIRY as a disk does,
# READ KEYS with two keys, as far as the buffer has room, where DISK=two-keys is in the environment; everything else ends with host status 01h
# (DID_NO_CONNECT), as on a path that is gone. It prints operation code and time limit of each command on standard error.
compile_disk() {
  cat >"$folder/disk.c" <<'END'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <scsi/sg.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

static const unsigned char inquiry[36] = {0, 0, 6, 2, 31, 0, 0, 0, 'E', 'X', 'A', 'M', 'P', 'L', 'E', ' ', 'D', 'I', 'S', 'K'};
/* PRGENERATION 2, ADDITIONAL LENGTH 16, two keys */
static const unsigned char keys[24] = {0, 0, 0, 2, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0xa1, 0, 0, 0, 0, 0, 0, 0, 0xb2};

static void give(struct sg_io_hdr *header, const unsigned char *bytes, unsigned length)
{
  unsigned room = header->dxfer_len < length ? header->dxfer_len : length;
  memcpy(header->dxferp, bytes, room);
  header->resid = header->dxfer_len - room;
}

int ioctl(int fd, unsigned long request, ...)
{
  va_list rest;
  va_start(rest, request);
  void *argument = va_arg(rest, void *);
  va_end(rest);
  if (request == SG_GET_VERSION_NUM) {
    *(int *)argument = 30536;
    return 0;
  }
  if (request != SG_IO) {
    int (*next)(int, unsigned long, void *) = dlsym(RTLD_NEXT, "ioctl");
    return next(fd, request, argument);
  }
  struct sg_io_hdr *header = argument;
  fprintf(stderr, "command %02x timeout %u ms\n", header->cmdp[0], header->timeout);
  header->status = header->masked_status = 0;
  header->driver_status = 0;
  header->sb_len_wr = 0;
  header->resid = 0;
  header->host_status = 0;
  const char *disk = getenv("DISK");
  if (header->cmdp[0] == 0x12)
    give(header, inquiry, sizeof inquiry);
  else if (disk && !strcmp(disk, "two-keys") && header->cmdp[0] == 0x5e && header->cmdp[1] == 0)
    give(header, keys, sizeof keys);
  else
    header->host_status = 1;
  return 0;
}
END
  cc -shared -fPIC -o "$folder/disk.so" "$folder/disk.c"
}

# expect WHAT EXPECTED SEEN: fails when the behaviour is no longer what this script is about.
expect() {
  printf '%s: %s\n' "$1" "$3"
  [[ "$2" == "$3" ]] && return
  printf 'CHANGED: expected %s\n' "$2" >&2
  exit 1
}
