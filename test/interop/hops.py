"""What stands in and at the ends of a service chain: a bump in the wire, a UDP echo server, and a client that asks it.

hops.py forward DEVICE DEVICE      what comes in by one device goes out by the other, unchanged
hops.py serve PORT                 answers every datagram with itself
hops.py ask ADDRESS PORT SIZE...   sends a datagram of each size, waits for each answer, and prints how many came
"""

import select
import socket
import sys

ETH_P_ALL = 3
SOL_PACKET = 263
PACKET_VNET_HDR = 15
PACKET_OUTGOING = 4


def forward(*devices):
    legs = []
    for device in devices:
        leg = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        # Checksums and segments that are left to be done stay so.
        leg.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
        leg.bind((device, ETH_P_ALL))
        legs.append(leg)
    print("ready", flush=True)
    while True:
        for leg in select.select(legs, [], [])[0]:
            try:
                data, address = leg.recvfrom(1 << 17)
                if address[2] != PACKET_OUTGOING:
                    legs[1 - legs.index(leg)].send(data)
            except OSError as error:
                print(error, flush=True)
                return


def serve(port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("", int(port)))
        print("ready", flush=True)
        while True:
            data, peer = s.recvfrom(1 << 16)
            s.sendto(data, peer)


def ask(address, port, *sizes):
    answers = 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(5)
        s.connect((address, int(port)))
        for size in sizes:
            s.send(bytes(int(size)))
            try:
                answers += len(s.recv(1 << 16)) == int(size)
            except OSError as error:
                print(error)
    print(f"{answers} answers", flush=True)


{"forward": forward, "serve": serve, "ask": ask}[sys.argv[1]](*sys.argv[2:])
