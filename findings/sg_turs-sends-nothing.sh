#!/usr/bin/env bash
# sg_turs of sg3-utils 1.48-4 (Debian sid) sends no TEST UNIT READY unless it is told a number of them, and exits with 0: a script that asks
# "is the disk ready?" gets yes from everything that can be opened. fence_scsi asks it before it registers, so that a pending unit attention
# is not taken away and meets the command after it.
#
# Seen: no ioctl and exit status 0, on a device that takes no SCSI commands at all. Version 1.46-3 (Debian 12) sends the command and fails
# on the same device with 75.
source "$(dirname "$0")/lib/debian.sh"

unpack sid sg3-utils=1.48-4
compile_disk
status=0
run_unpacked --preload "$folder/disk.so" usr/bin/sg_turs /dev/null 2>"$folder/commands" || status=$?
expect "exit status on a path that is gone" 0 "$status"
expect "commands sent" 0 "$(grep --count '^command' "$folder/commands" || true)"
