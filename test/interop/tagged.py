"""Frames with VLAN tags at a network device, for kernels without VLAN devices."""

import socket
import struct

ETH_P_ALL = 3
SOL_PACKET = 263
PACKET_AUXDATA = 8
PACKET_OUTGOING = 4
TP_STATUS_VLAN_VALID = 0x10
VLAN = struct.pack("!H", 0x8100)
ADDRESSES = 12


class Device:
    def __init__(self, name):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        # The kernel takes the outermost tag out of the frame, and says it beside.
        self.socket.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        self.socket.bind((name, ETH_P_ALL))

    @property
    def mac(self):
        return self.socket.getsockname()[4]

    def fileno(self):
        return self.socket.fileno()

    def send(self, frame, tags):
        """`frame` without tags; the outermost first."""
        between = b"".join(VLAN + struct.pack("!H", tag) for tag in tags)
        self.socket.send((frame[:ADDRESSES] + between + frame[ADDRESSES:]).ljust(60, b"\0"))

    def receive(self):
        """A frame without its tags, and their VLANs; None: it was our own."""
        frame, beside, _, address = self.socket.recvmsg(1 << 16, 256)
        if address[2] == PACKET_OUTGOING:
            return None
        vlans = []
        for _, _, data in beside:
            status, _, _, _, _, tci, _ = struct.unpack("IIIHHHH", data[:20])
            if status & TP_STATUS_VLAN_VALID:
                vlans.append(tci & 0xFFF)
        while frame[ADDRESSES : ADDRESSES + 2] == VLAN:
            vlans.append(struct.unpack("!H", frame[ADDRESSES + 2 : ADDRESSES + 4])[0] & 0xFFF)
            frame = frame[:ADDRESSES] + frame[ADDRESSES + 4 :]
        return frame, vlans
