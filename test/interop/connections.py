"""TCP connections that are made, or are not.

connections.py listen PORT...                 takes connections and ends them
connections.py connect ADDRESS PORT SECONDS   prints `open`, or why it is not
connections.py echo PORT                      sends back what comes by connections, and ends each with its other end
connections.py talk ADDRESS PORT COUNT        opens COUNT connections at once, talks by each, ends them, and prints how many echoed
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


def echo(port):
    server = socket.create_server(("", int(port)), backlog=512)
    print("ready", flush=True)
    open_ones = []
    while True:
        for one in select.select([server, *open_ones], [], [])[0]:
            if one is server:
                open_ones.append(server.accept()[0])
                continue
            data = one.recv(1 << 16)
            if data:
                one.sendall(data)
            else:
                open_ones.remove(one)
                one.close()


def talk(address, port, count):
    connections = [socket.create_connection((address, int(port)), 30) for _ in range(int(count))]
    for number, one in enumerate(connections):
        one.sendall(b"hello %d" % number)
    echoed = sum(one.recv(1 << 16) == b"hello %d" % number for number, one in enumerate(connections))
    for one in connections:
        one.shutdown(socket.SHUT_WR)
    ended = sum(one.recv(1 << 16) == b"" for one in connections)
    print(f"{min(echoed, ended)} echoed")


{"listen": listen, "connect": connect, "echo": echo, "talk": talk}[sys.argv[1]](*sys.argv[2:])
