"""UDP senders and receivers for the tests beside this file.

datagrams.py listen PORT [GROUP ADDRESS]   prints a line for each datagram: its bytes as text, and its DSCP;
                                           as a member of multicast GROUP on the interface that has ADDRESS
datagrams.py send FROM TO PORT COUNT DSCP  sends COUNT numbered datagrams, to a host or a group
datagrams.py watch DEVICE MAC              prints a line for each frame to MAC that comes in, whoever it is for
"""

import socket
import sys
import time

ETH_P_ALL = 3
PACKET_OUTGOING = 4


def listen(port, group=None, address=None):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.setsockopt(socket.IPPROTO_IP, socket.IP_RECVTOS, 1)
        s.bind(("", int(port)))
        if group is not None:
            member = socket.inet_aton(group) + socket.inet_aton(address)
            s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
        print("ready", flush=True)
        while True:
            data, beside, _, _ = s.recvmsg(2048, 256)
            print(f"{data.decode()} dscp={beside[0][2][0] >> 2}", flush=True)


def send(source, to, port, count, dscp):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(source))
        s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 4)
        s.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, int(dscp) << 2)
        s.bind((source, 0))
        for number in range(int(count)):
            s.sendto(f"datagram {number}".encode(), (to, int(port)))
            time.sleep(0.02)


def watch(device, mac):
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL)) as s:
        s.bind((device, 0))
        print("ready", flush=True)
        while True:
            frame, (_, _, kind, _, _) = s.recvfrom(2048)
            if kind != PACKET_OUTGOING and frame[:6].hex(":") == mac:
                print(f"frame of {len(frame)} bytes", flush=True)


{"listen": listen, "send": send, "watch": watch}[sys.argv[1]](*sys.argv[2:])
