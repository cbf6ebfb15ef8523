"""A conversation with a QEMU whose monitor is its standard input and output."""

import json
import subprocess


class Qemu:
    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.greeting = self._read()
        self.run("qmp_capabilities")

    def _read(self):
        return json.loads(self.process.stdout.readline())

    def run(self, command, **arguments):
        """The answer to a command; events are passed over."""
        self.process.stdin.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self.process.stdin.flush()
        while True:
            message = self._read()
            if "event" not in message:
                return message
