#!/usr/bin/env bash
# sg_persist of sg3-utils 1.46-3 (Debian 12) looks at the SCSI status and not at the host status. When the command never reached the disk
# (DID_NO_CONNECT), it prints that no keys are registered and nothing is reserved, and exits with 0; a REGISTER that never arrived is
# reported as done. Scripts that grep its text take a lost path for a disk without reservations.
#
# Seen: the texts below and exit status 0. Version 1.48-4 exits with 35.
source "$(dirname "$0")/lib/debian.sh"

ask() {
  status=0
  run_unpacked --preload "$folder/disk.so" usr/bin/sg_persist "$@" /dev/null >"$folder/out" 2>/dev/null || status=$?
}

compile_disk
unpack bookworm sg3-utils=1.46-3
ask --in --read-keys
expect "READ KEYS, exit status" 0 "$status"
expect "READ KEYS, text" "  PR generation=0x0, there are NO registered reservation keys" "$(tail -n 1 "$folder/out")"
ask --in --read-reservation
expect "READ RESERVATION, exit status" 0 "$status"
expect "READ RESERVATION, text" "  PR generation=0x0, there is NO reservation held" "$(tail -n 1 "$folder/out")"
ask --out --register --param-sark=1
expect "REGISTER, exit status" 0 "$status"
