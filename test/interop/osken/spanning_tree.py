"""A learning switch whose bridges agree on a spanning tree by os_ken.lib.stplib: datapath 1 is to be the root."""

import learning
from os_ken.controller.handler import MAIN_DISPATCHER, set_ev_cls
from os_ken.lib import stplib

# Seconds; the standard's 2 and 15 would only make waiting longer.
TIMES = {"hello_time": 1, "fwd_delay": 4, "max_age": 20}
PRIORITIES = {1: 0x8000, 2: 0x9000, 3: 0xA000}


class SpanningTree(learning.Learning):
    _CONTEXTS = {"stplib": stplib.Stp}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        kwargs["stplib"].set_config({dpid: {"bridge": {"priority": p, **TIMES}} for dpid, p in PRIORITIES.items()})

    @set_ev_cls(stplib.EventPacketIn, MAIN_DISPATCHER)
    def packet_in(self, event):
        self.places.forward(event.msg)

    @set_ev_cls(stplib.EventTopologyChange, MAIN_DISPATCHER)
    def topology_changed(self, event):
        self.places.forget(event.dp)
