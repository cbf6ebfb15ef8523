#!/usr/bin/env bash
# QEMU's pr-manager-helper looks at its connection only when a guest's reservation command passes. query-pr-managers goes on saying
# "connected": true after the helper has ended, and no PR_MANAGER_STATUS_CHANGED is sent until such a command comes, which may be the one
# that fences a node. And object-del removes a manager that a block node uses: the command succeeds and the node stays.
#
# Seen with QEMU 1:7.2+dfsg-7+deb12u18+b3 (Debian 12): the lines below.
source "$(dirname "$0")/lib/debian.sh"

unpack bookworm {qemu-system-common,qemu-system-x86}=1:7.2+dfsg-7+deb12u18+b3
truncate --size=1M "$folder/disk.img"
run_unpacked usr/bin/qemu-pr-helper -k "$folder/helper.sock" &
helper=$!
until [[ -S "$folder/helper.sock" ]]; do kill -0 "$helper"; done
seen="$(
  PYTHONPATH="$(dirname "$0")/lib" python3 - "$folder" "$(pgrep --parent "$helper")" <<'END'
import os, signal, sys
from qmp import Qemu

folder, helper = sys.argv[1], int(sys.argv[2])
root = folder + "/root"
loader = root + "/lib64/ld-linux-x86-64.so.2"
libraries = f"{root}/lib/x86_64-linux-gnu:{root}/usr/lib/x86_64-linux-gnu"
os.environ["QEMU_MODULE_DIR"] = root + "/usr/lib/x86_64-linux-gnu/qemu"
qemu = Qemu([
    loader, "--library-path", libraries, root + "/usr/bin/qemu-system-x86_64",
    "-M", "none", "-nodefaults", "-display", "none", "-qmp", "stdio",
    "-object", f"pr-manager-helper,id=pr0,path={folder}/helper.sock",
    "-blockdev", f"driver=file,node-name=hd,filename={folder}/disk.img,pr-manager=pr0",
])
os.kill(helper, signal.SIGKILL)
while os.path.exists(f"/proc/{helper}/fd/0"):
    pass
print(qemu.run("query-pr-managers")["return"])
print(qemu.run("object-del", id="pr0"))
print(qemu.run("query-pr-managers")["return"])
print([node["node-name"] for node in qemu.run("query-named-block-nodes")["return"]])
qemu.run("quit")
END
)"
expect "after the helper was killed" "[{'connected': True, 'id': 'pr0'}]" "$(sed --quiet 1p <<<"$seen")"
expect "object-del of the manager in use" "{'return': {}}" "$(sed --quiet 2p <<<"$seen")"
expect "managers then" "[]" "$(sed --quiet 3p <<<"$seen")"
expect "nodes then" "['hd']" "$(sed --quiet 4p <<<"$seen")"
