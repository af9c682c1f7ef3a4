"""TCP connections that are made, or are not.

connections.py listen PORT...                 takes connections and ends them
connections.py connect ADDRESS PORT SECONDS   prints `open`, or why it is not
"""

import select
import socket
import sys


def listen(*ports):
    servers = [socket.create_server(("", int(port)), family=socket.AF_INET6, dualstack_ipv6=True) for port in ports]
    print("ready", flush=True)
    while True:
        for server in select.select(servers, [], [])[0]:
            server.accept()[0].close()


def connect(address, port, seconds):
    try:
        socket.create_connection((address, int(port)), float(seconds)).close()
        print("open")
    except OSError as error:
        print(error)


{"listen": listen, "connect": connect}[sys.argv[1]](*sys.argv[2:])
