"""A learning switch for which ports 1 and 2 of datapath 1 are one link, by os_ken.lib.lacplib."""

import learning
import openflow
from os_ken.controller.handler import MAIN_DISPATCHER, set_ev_cls
from os_ken.lib import lacplib

MEMBERS = [1, 2]


class Lacp(learning.Learning):
    _CONTEXTS = {"lacplib": lacplib.LacpLib}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        kwargs["lacplib"].add(dpid=1, ports=MEMBERS)
        self.up = set()

    @set_ev_cls(lacplib.EventPacketIn, MAIN_DISPATCHER)
    def packet_in(self, event):
        self.places.forward(event.msg, self.flood)

    def flood(self, dp, in_port):
        """To each port but where it came from; to one of the bond's, unless it came from there."""
        ports = {number for number in dp.ports if number <= dp.ofproto.OFPP_MAX} - {in_port, *MEMBERS}
        if in_port not in MEMBERS and self.up:
            ports.add(min(self.up))
        return [openflow.output(dp, number) for number in sorted(ports)]

    @set_ev_cls(lacplib.EventSlaveStateChanged, MAIN_DISPATCHER)
    def member_changed(self, event):
        (self.up.add if event.enabled else self.up.discard)(event.port)
        print(f"bond: {sorted(self.up)}")
        self.places.forget(event.datapath)
