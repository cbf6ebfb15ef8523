"""Has a test run `qom-pr persist` in its own process: persist-client.py SOCKET WORDS...

Sends the words as JSON, and passes on what the answer says: exit status, standard output and standard error. It starts in a fraction of the
time that the program takes, of which an agent starts dozens.
"""
import json
import socket
import sys

connection = socket.socket(socket.AF_UNIX)
connection.connect(sys.argv[1])
connection.sendall(json.dumps(sys.argv[2:]).encode())
connection.shutdown(socket.SHUT_WR)
ended = json.loads(connection.makefile(encoding="utf-8").read())
sys.stdout.write(ended["stdout"])
sys.stderr.write(ended["stderr"])
sys.exit(ended["code"])
