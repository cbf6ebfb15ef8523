"""Runs fence_scsi of this machine without touching anything of it: fence-scsi.py PROGRAM STORE ARGUMENTS...

The agent keeps the key of its node in files that begin with /var/run/cluster; here they begin with STORE. It takes block devices alone, and the
test has files.
"""
import stat
import sys

PROGRAM, STORE = sys.argv[1:3]
KEPT_IN = '"/var/run/cluster"'

source = open(PROGRAM, encoding="utf-8").read()
if source.count(KEPT_IN) != 1:
    sys.exit(PROGRAM + " does not keep its files in " + KEPT_IN)
stat.S_ISBLK = stat.S_ISREG
sys.argv = [PROGRAM] + sys.argv[3:]
exec(compile(source.replace(KEPT_IN, repr(STORE)), PROGRAM, "exec"), {"__name__": "__main__"})
