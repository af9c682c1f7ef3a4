"""Who stands at the ports of a switch, in one process: instances of service chains, and those who talk through them.

player.py LEG=DEVICE...   takes a command a line, as JSON, and answers each with a line

{"do": "play", "leg": L, "to": L, "as": "forward" | "nsh"}   what comes in by a leg goes out by another, or the same one; as
                                                            nsh with the service index one less (RFC 8300)
{"do": "rest", "legs": [L...]}                              what comes in by these is taken and goes nowhere, as at first
{"do": "record", "marks": [HEX...]}                         frames with any of these bytes are remembered from now on
{"do": "take"}                                              what was remembered, in the order in which it came
{"do": "send", "frames": [[L, HEX]...], "ends": [L...], "each": N, "window": N}
                                                            sends frames, so many at a time, and waits until N of each have come
                                                            to the ends; how many have, once all have or none come any more
{"do": "stream", "frame": [L, HEX], "pause": S}             sends it again and again, its last four bytes a number, until
{"do": "halt"}                                              how many were sent
"""

import json
import select
import socket
import struct
import sys
import time

ETH_P_ALL = 3
SOL_PACKET = 263
PACKET_AUXDATA = 8
PACKET_VNET_HDR = 15
PACKET_IGNORE_OUTGOING = 23
SO_RCVBUFFORCE = 33
VNET_BYTES = 10
NEEDS_CSUM = 1
TP_STATUS_VLAN_VALID = 1 << 4
SERVICE_INDEX = 14 + 7
IDLE_POLLS_MAX = 100
POLL_MS = 100
BATCH = 64


class Leg:
    def __init__(self, name, device):
        self.name = name
        self.to = None
        self.kind = None
        self.arrived = 0
        self.socket = s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        s.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)
        s.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        s.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        # Checksums and segments that are left to be done stay so.
        s.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
        s.setblocking(False)
        s.bind((device, ETH_P_ALL))

    def receive(self):
        """Offload header and frame, as it was on the wire: the kernel takes the outer tag off (packet(7)); None: nothing."""
        try:
            data, beside, _, _ = self.socket.recvmsg(1 << 17, 64)
        except BlockingIOError:
            return None
        except OSError:
            # The device went down, and is usable again when it is up.
            return None
        vnet, frame = data[:VNET_BYTES], data[VNET_BYTES:]
        for level, kind, words in beside:
            if (level, kind) != (SOL_PACKET, PACKET_AUXDATA):
                continue
            status, _, _, _, _, tci, tpid = struct.unpack("=IIIHHHH", words[:20])
            if not status & TP_STATUS_VLAN_VALID:
                continue
            frame = frame[:12] + struct.pack("!HH", tpid, tci) + frame[12:]
            flags, gso, head, size, start, offset = struct.unpack("=BBHHHH", vnet)
            start += 4 if flags & NEEDS_CSUM else 0
            vnet = struct.pack("=BBHHHH", flags, gso, head, size, start, offset)
        return vnet, frame

    def send(self, frame, vnet=bytes(VNET_BYTES)):
        try:
            self.socket.send(vnet + frame)
        except OSError:
            # A wire whose other end is down takes nothing.
            pass


class Player:
    def __init__(self, legs):
        self.legs = legs
        self.poll = select.poll()
        self.by_number = {leg.socket.fileno(): leg for leg in legs.values()}
        for number in self.by_number:
            self.poll.register(number, select.POLLIN)
        self.marks = []
        self.seen = []
        self.stream = None

    def take_in(self, leg):
        received = leg.receive()
        if received is None:
            return False
        vnet, frame = received
        leg.arrived += 1
        if any(mark in frame for mark in self.marks):
            self.seen.append([leg.name, frame.hex()])
        if leg.to is not None:
            if leg.kind == "nsh":
                frame = frame[:SERVICE_INDEX] + bytes([frame[SERVICE_INDEX] - 1]) + frame[SERVICE_INDEX + 1 :]
            leg.to.send(frame, vnet)
        return True

    def turn(self, milliseconds):
        """Serves what has come; whether something has, and whether there is a command."""
        busy, command = False, False
        for number, _ in self.poll.poll(milliseconds):
            leg = self.by_number.get(number)
            if leg is None:
                command = True
                continue
            for _ in range(BATCH):
                if not self.take_in(leg):
                    break
                busy = True
        if self.stream is not None and time.monotonic() >= self.stream["next"]:
            self.go_on()
        return busy, command

    def go_on(self):
        stream = self.stream
        stream["leg"].send(stream["frame"][:-4] + struct.pack("!I", stream["sent"]))
        stream["sent"] += 1
        # One that was held up does not make up for it.
        stream["next"] = time.monotonic() + stream["pause"]

    def send(self, frames, ends, each, window):
        ends = [self.legs[name] for name in ends]
        before = sum(end.arrived for end in ends)
        arrived, sent, idle = 0, 0, 0
        while idle < IDLE_POLLS_MAX:
            while sent < len(frames) and sent * each - arrived < window * max(each, 1):
                name, frame = frames[sent]
                self.legs[name].send(bytes.fromhex(frame))
                sent += 1
            if sent == len(frames) and arrived >= sent * each:
                break
            busy, _ = self.turn(POLL_MS)
            idle = 0 if busy else idle + 1
            arrived = sum(end.arrived for end in ends) - before
        return arrived

    def answer(self, command):
        do = command.pop("do")
        if do == "play":
            leg = self.legs[command["leg"]]
            leg.to, leg.kind = self.legs[command["to"]], command["as"]
        elif do == "rest":
            for name in command["legs"]:
                self.legs[name].to = None
        elif do == "record":
            self.marks = [bytes.fromhex(mark) for mark in command["marks"]]
        elif do == "take":
            seen, self.seen = self.seen, []
            return seen
        elif do == "send":
            return self.send(**command)
        elif do == "stream":
            name, frame = command["frame"]
            self.stream = {"leg": self.legs[name], "frame": bytes.fromhex(frame), "pause": command["pause"]}
            self.stream |= {"sent": 0, "next": 0}
        elif do == "halt":
            sent, self.stream = self.stream["sent"], None
            return sent
        return None

    def run(self):
        self.poll.register(sys.stdin.fileno(), select.POLLIN)
        print(json.dumps("ready"), flush=True)
        while True:
            pause = POLL_MS if self.stream is None else self.stream["pause"] * 1000
            if not self.turn(pause)[1]:
                continue
            line = sys.stdin.readline()
            if line == "":
                return
            self.poll.unregister(sys.stdin.fileno())
            print(json.dumps(self.answer(json.loads(line))), flush=True)
            self.poll.register(sys.stdin.fileno(), select.POLLIN)


Player({name: Leg(name, device) for name, device in (one.split("=") for one in sys.argv[1:])}).run()
