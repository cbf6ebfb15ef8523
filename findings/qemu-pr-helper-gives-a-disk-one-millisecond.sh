#!/usr/bin/env bash
# qemu-pr-helper sends its commands with a time limit of 1 in sg_io_hdr.timeout, whose unit is the millisecond. Block device nodes hide it,
# since Linux raises short limits there; on a /dev/sgN node the limit counts as it stands.
#
# Seen with 1:7.2+dfsg-7+deb12u18+b3 (Debian 12): the line that the stand-in for the disk prints.
source "$(dirname "$0")/lib/debian.sh"

unpack bookworm qemu-system-common=1:7.2+dfsg-7+deb12u18+b3
compile_disk
run_unpacked --preload "$folder/disk.so" usr/bin/qemu-pr-helper -k "$folder/helper.sock" 2>"$folder/commands" &
until [[ -S "$folder/helper.sock" ]]; do kill -0 "$!"; read -r -t 0.1 <> <(:) || true; done
python3 - "$folder/helper.sock" <<'END'
import array, os, socket, sys

helper = socket.socket(socket.AF_UNIX)
helper.settimeout(30)
helper.connect(sys.argv[1])
helper.recv(4)
helper.sendall(bytes(4))
descriptor = array.array("i", [os.open("/dev/null", os.O_RDWR)])
read_keys = bytes.fromhex("5e000000000000001000").ljust(16, b"\0")
helper.sendmsg([read_keys], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, descriptor)])
helper.recv(104, socket.MSG_WAITALL)
END
expect "the command at the disk" "command 5e timeout 1 ms" "$(grep '^command' "$folder/commands")"
