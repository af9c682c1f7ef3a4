"""Guests that mean harm to a service chain: UDP datagrams that try to get past it, and who hears them; addresses made up.

evade.py hear PORT...                           prints a line for each datagram: its port and its bytes as text
evade.py invent DEVICE COUNT                    sends a frame from each of so many MAC addresses
evade.py send DEVICE MAC IPV4 IPV6 TO4 TO6 PORT  sends each trick from IPV4 or IPV6 to the station MAC, as a datagram with its name
"""

import select
import socket
import struct
import sys
import time

UDP = 17
FRAGMENT = 44
DESTINATION_OPTIONS = 60
VLAN = 0x8100
IPV4 = 0x0800
IPV6 = 0x86DD
SOURCE_PORT = 5000
BROADCAST = b"\xff" * 6


def ones_sum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


class Sender:
    def __init__(self, device, mac, ipv4, ipv6, to4, to6, port):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        self.socket.bind((device, 0))
        self.source = self.socket.getsockname()[4]
        self.mac = bytes.fromhex(mac.replace(":", ""))
        self.addresses = {
            4: socket.inet_pton(socket.AF_INET, ipv4) + socket.inet_pton(socket.AF_INET, to4),
            6: socket.inet_pton(socket.AF_INET6, ipv6) + socket.inet_pton(socket.AF_INET6, to6),
        }
        self.port = int(port)
        self.number = 0

    def datagram(self, family, name):
        # As long as what fragments are made of.
        payload = name.encode().ljust(56)
        length = 8 + len(payload)
        pseudo = self.addresses[family] + struct.pack("!II", length, UDP)
        head = struct.pack("!HHH", SOURCE_PORT, self.port, length)
        return head + struct.pack("!H", ones_sum(pseudo + head + b"\0\0" + payload)) + payload

    def ipv4(self, payload, place=0, more=False, number=0):
        field = place | (0x2000 if more else 0)
        head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), number, field, 64, UDP, 0) + self.addresses[4]
        return head[:10] + struct.pack("!H", ones_sum(head)) + head[12:] + payload

    def ipv6(self, payload, following=UDP):
        return struct.pack("!IHBB", 6 << 28, len(payload), following, 64) + self.addresses[6] + payload

    def fragment6(self, payload, place=0, more=False, number=0, following=UDP):
        head = struct.pack("!BBHI", following, 0, place << 3 | more, number)
        return self.ipv6(head + payload, FRAGMENT)

    def send(self, kind, packet, to=None, tags=()):
        tagged = b"".join(struct.pack("!HH", VLAN, tag) for tag in tags)
        frame = (to or self.mac) + self.source + tagged + struct.pack("!H", kind) + packet
        self.socket.send(frame.ljust(60, b"\0"))

    def whole(self, name, **how):
        self.send(IPV4, self.ipv4(self.datagram(4, name)), **how)

    def whole6(self, name, **how):
        self.send(IPV6, self.ipv6(self.datagram(6, name)), **how)

    def split(self, name, at, backwards=False, **how):
        self.number += 1
        data = self.datagram(4, name)
        parts = [
            self.ipv4(data[:at], 0, True, self.number),
            self.ipv4(data[at:], at // 8, False, self.number),
        ]
        for part in reversed(parts) if backwards else parts:
            self.send(IPV4, part, **how)

    def split6(self, name, at, **how):
        self.number += 1
        data = self.datagram(6, name)
        self.send(IPV6, self.fragment6(data[:at], 0, True, self.number), **how)
        self.send(IPV6, self.fragment6(data[at:], at // 8, False, self.number), **how)

    def hidden6(self, name):
        """The first fragment ends in an extension header, before the ports."""
        self.number += 1
        options = struct.pack("!BBBB", UDP, 1, 1, 10) + bytes(12)
        data = options + self.datagram(6, name)
        self.send(IPV6, self.fragment6(data[:8], 0, True, self.number, DESTINATION_OPTIONS))
        self.send(IPV6, self.fragment6(data[8:], 1, False, self.number, DESTINATION_OPTIONS))


def send(*args):
    sender = Sender(*args)
    sender.whole("plain")
    sender.whole("broadcast", to=BROADCAST)
    sender.whole("group", to=b"\x01\0\x5e\0\0\1")
    sender.whole("tag", tags=[0])
    sender.whole("two tags", tags=[0, 0])
    sender.whole("broadcast in two tags", to=BROADCAST, tags=[0, 0])
    sender.split("fragments", 32)
    sender.split("short first", 8)
    sender.split("backwards", 32, backwards=True)
    sender.split("fragments in broadcasts", 32, to=BROADCAST)
    sender.split("fragments in tags", 32, tags=[0])
    sender.whole6("plain 6")
    sender.whole6("group 6", to=b"\x33\x33\0\0\0\1")
    sender.split6("fragments 6", 32)
    sender.split6("short first 6", 8)
    sender.hidden6("hidden 6")
    sender.split6("fragments in groups 6", 32, to=b"\x33\x33\0\0\0\1")
    print("sent", flush=True)


def hear(*ports):
    heard = []
    for port in ports:
        s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        s.bind(("::", int(port)))
        heard.append(s)
    print("ready", flush=True)
    while True:
        for s in select.select(heard, [], [])[0]:
            print(s.getsockname()[1], s.recv(2048).decode().strip(), flush=True)


def invent(device, count):
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as s:
        s.bind((device, 0))
        for number in range(int(count)):
            s.send((BROADCAST + b"\x02\x66" + struct.pack("!I", number) + b"\x88\xb5").ljust(60, b"\0"))
            if number % 50 == 0:
                time.sleep(0.02)
    print("sent", flush=True)


{"hear": hear, "invent": invent, "send": send}[sys.argv[1]](*sys.argv[2:])
