#!/usr/bin/env bash
# A guest's disk locks its image against a second writer (share-rw=off is the default). A writable export of qemu-storage-daemon does not:
# it uses the permission to write and does not withhold it from others (no lock on byte 201 of the file, which stands for that), and there
# is no option to ask for it. Two daemons export one image at the same time, and qemu-io writes to it besides.
#
# Seen with 1:7.2+dfsg-7+deb12u18+b3 (Debian 12): the lines below.
source "$(dirname "$0")/lib/debian.sh"

unpack bookworm {qemu-system-common,qemu-utils}=1:7.2+dfsg-7+deb12u18+b3
truncate --size=1M "$folder/disk.img"
for daemon in a b; do
  run_unpacked usr/bin/qemu-storage-daemon --nbd-server "addr.type=unix,addr.path=$folder/$daemon.sock" \
    --blockdev "driver=file,node-name=disk,filename=$folder/disk.img" \
    --export type=nbd,id=export0,node-name=disk,writable=on --pidfile "$folder/$daemon.pid" &
  until [[ -s "$folder/$daemon.pid" ]]; do kill -0 "$!"; done
done
inode="$(stat --format=%i "$folder/disk.img")"
expect "bytes locked, by each daemon" "100 101,203 203" \
  "$(grep ":$inode " /proc/locks | awk '{ print $(NF - 1), $NF }' | sort --unique | paste --serial --delimiters=,)"
status=0
run_unpacked usr/bin/qemu-io -f raw -c 'write 0 512' "$folder/disk.img" >/dev/null || status=$?
expect "a third writer, exit status" 0 "$status"
