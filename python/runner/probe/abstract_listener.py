"""Holds an abstract unix socket on the host while the sandboxes are probed (Node 20 cannot make one).

Says `listening` on standard output, and ends when its standard input does.
"""

import socket
import sys

with socket.socket(socket.AF_UNIX) as listener:
    listener.bind("\0" + sys.argv[1])
    listener.listen()
    print("listening", flush=True)
    sys.stdin.read()
