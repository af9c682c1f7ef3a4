"""Frames as they are, and who hears them.

frames.py hear DEVICE         prints of each frame that comes in what stands in it between < and >, and the VLANs of its tags
frames.py send DEVICE HEX...  sends frames
"""

import re
import sys

from tagged import Device


def hear(name):
    device = Device(name)
    print("ready", flush=True)
    while True:
        received = device.receive()
        if received is None:
            continue
        frame, vlans = received
        for found in re.findall(rb"<([^<>]*)>", frame):
            print(found.decode(), *vlans, sep="\t", flush=True)


def send(name, *frames):
    device = Device(name)
    for frame in frames:
        device.send(bytes.fromhex(frame), [])


{"hear": hear, "send": send}[sys.argv[1]](*sys.argv[2:])
