"""arp_tags.py DEVICE SOURCE TARGET [TAG...]: asks for an address in a frame with these VLAN tags, the outermost first, and prints
the MAC address of who answers and the tags of the answer, or `no answer`."""

import select
import socket
import struct
import sys
import time

ETH_P_ALL = 3
SOL_PACKET = 263
PACKET_AUXDATA = 8
VLAN_VALID = 0x10
VLAN = 0x8100
ARP = 0x0806
REPLY = 2
WAIT_S = 3

device, source, target, *tags = sys.argv[1:]
with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL)) as s:
    s.bind((device, ETH_P_ALL))
    # The kernel takes the outermost tag out of the frame.
    s.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    mac = s.getsockname()[4]
    spa, tpa = socket.inet_aton(source), socket.inet_aton(target)
    head = b"\xff" * 6 + mac + b"".join(struct.pack("!HH", VLAN, int(tag)) for tag in tags)
    question = struct.pack("!HHHBBH", ARP, 1, 0x0800, 6, 4, 1) + mac + spa + bytes(6) + tpa
    s.send((head + question).ljust(60, b"\0"))
    end = time.monotonic() + WAIT_S
    while select.select([s], [], [], max(0, end - time.monotonic()))[0]:
        frame, beside, _, _ = s.recvmsg(2048, 256)
        found = []
        for _, _, data in beside:
            status, _, _, _, _, tci, _ = struct.unpack("IIIHHHH", data[:20])
            if status & VLAN_VALID:
                found.append(str(tci & 0xFFF))
        at = 12
        while frame[at : at + 2] == struct.pack("!H", VLAN):
            found.append(str(struct.unpack("!H", frame[at + 2 : at + 4])[0] & 0xFFF))
            at += 4
        answer = frame[at : at + 30]
        if answer[:2] == struct.pack("!H", ARP) and answer[8:10] == struct.pack("!H", REPLY) and answer[16:20] == tpa:
            print(answer[10:16].hex(":"), *found)
            break
    else:
        print("no answer")
