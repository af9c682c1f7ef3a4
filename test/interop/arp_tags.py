"""arp_tags.py DEVICE SOURCE TARGET [TAG...]: asks for an address in a frame with these VLAN tags, the outermost first, and prints
the MAC address of who answers and the VLANs of the answer, or `no answer`."""

import select
import socket
import struct
import sys
import time

from tagged import Device

ARP = struct.pack("!H", 0x0806)
REPLY = struct.pack("!H", 2)
WAIT_S = 3

name, source, target, *tags = sys.argv[1:]
device = Device(name)
spa, tpa = socket.inet_aton(source), socket.inet_aton(target)
question = ARP + struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) + device.mac + spa + bytes(6) + tpa
device.send(b"\xff" * 6 + device.mac + question, [int(tag) for tag in tags])
end = time.monotonic() + WAIT_S
while select.select([device], [], [], max(0, end - time.monotonic()))[0]:
    received = device.receive()
    if received is None:
        continue
    frame, vlans = received
    if frame[12:14] == ARP and frame[20:22] == REPLY and frame[28:32] == tpa:
        print(frame[22:28].hex(":"), *vlans)
        break
else:
    print("no answer")
