#!/usr/bin/env bash
# sg_persist -k with a short allocation length believes ADDITIONAL LENGTH, which counts the keys that the disk has, and not how much has
# arrived: the keys that had no room are printed as 0x0. A script that asks for the header only, to see how many there are, reads keys that
# nobody registered.
#
# Seen with sg3-utils 1.48-4 (Debian sid), for a disk with the keys 0xa1 and 0xb2 and room for the 8 bytes of the header: the lines below.
source "$(dirname "$0")/lib/debian.sh"

unpack sid sg3-utils=1.48-4
compile_disk
export DISK=two-keys
keys() {
  run_unpacked --preload "$folder/disk.so" usr/bin/sg_persist --in --read-keys "$@" /dev/null 2>/dev/null |
    grep --only-matching '^ *0x[0-9a-f]*$' | tr --delete ' ' | paste --serial --delimiters=' '
}
expect "with room for both" "0xa1 0xb2" "$(keys)"
expect "with room for none" "0x0 0x0" "$(keys --maxlen=8)"
