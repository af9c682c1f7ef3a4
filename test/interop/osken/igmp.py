"""A learning switch with os_ken.lib.igmplib as IGMP querier of datapath 1, for a sender at port 1.

IP multicast that no member asked for goes nowhere; other multicast, such as IPv6's, is flooded.
"""

import learning
from os_ken.controller.handler import MAIN_DISPATCHER, set_ev_cls
from os_ken.lib import igmplib
from os_ken.lib.packet import ipv4, packet

SENDER = 1


class Igmp(learning.Learning):
    _CONTEXTS = {"igmplib": igmplib.IgmpLib}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        kwargs["igmplib"].set_querier_mode(dpid=1, server_port=SENDER)

    @set_ev_cls(igmplib.EventPacketIn, MAIN_DISPATCHER)
    def packet_in(self, event):
        ip = packet.Packet(event.msg.data).get_protocol(ipv4.ipv4)
        if ip is None or not 224 <= int(ip.dst.split(".")[0]) < 240:
            self.places.forward(event.msg)
