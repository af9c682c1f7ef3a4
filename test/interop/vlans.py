"""vlans.py DEVICE VLAN...: makes a device DEVICE.VLAN for each VLAN, as the kernel's VLAN devices are."""

import fcntl
import os
import select
import struct
import sys

from tagged import Device

TUNSETIFF = 0x400454CA
IFF_TAP = 0x0002
IFF_NO_PI = 0x1000


def tap(name):
    file = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(file, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI))
    return file


name, *vlans = sys.argv[1:]
device = Device(name)
taps = {int(vlan): tap(f"{name}.{vlan}") for vlan in vlans}
print("ready", flush=True)
while True:
    for readable in select.select([device, *taps.values()], [], [])[0]:
        try:
            if readable is device:
                received = device.receive()
                if received is not None and len(received[1]) == 1 and received[1][0] in taps:
                    os.write(taps[received[1][0]], received[0])
                continue
            frame = os.read(readable, 1 << 16)
            device.send(frame, [vlan for vlan, file in taps.items() if file == readable])
        except OSError as error:
            # A device that is down.
            print(error, flush=True)
