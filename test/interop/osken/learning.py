"""A learning switch; OFP_VERSION names its version of OpenFlow."""

import openflow
from os_ken.base import app_manager
from os_ken.controller import ofp_event
from os_ken.controller.handler import CONFIG_DISPATCHER, MAIN_DISPATCHER, set_ev_cls
from os_ken.lib.packet import ether_types, ethernet, packet


class Places:
    """Where stations were seen: what a learning switch knows and does with a packet-in."""

    def __init__(self):
        self.of = {}  # datapath id -> {MAC address: port}

    def forward(self, message, flood=None):
        """Learns, sends the packet on, and leaves a flow where the destination is known.

        `flood`: called with (datapath, in_port) for the actions of a flood; OFPP_FLOOD when it is left out.
        """
        dp, in_port = message.datapath, openflow.in_port_of(message)
        frame = packet.Packet(message.data).get_protocol(ethernet.ethernet)
        if frame.ethertype == ether_types.ETH_TYPE_LLDP:
            return
        known = self.of.setdefault(dp.id, {})
        known[frame.src] = in_port
        if frame.dst in known:
            actions = [openflow.output(dp, known[frame.dst])]
            openflow.add_flow(dp, 1, {"in_port": in_port, "eth_dst": frame.dst, "eth_src": frame.src}, actions)
        elif flood is not None:
            actions = flood(dp, in_port)
        else:
            actions = [openflow.output(dp, dp.ofproto.OFPP_FLOOD)]
        openflow.packet_out(dp, in_port, actions, message.data)

    def forget(self, dp):
        """Forgets where stations are, in the switch too."""
        for mac in self.of.pop(dp.id, {}):
            openflow.delete_flows(dp, {"eth_dst": mac})


class Learning(app_manager.OSKenApp):
    OFP_VERSIONS = [openflow.VERSION]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.places = Places()

    @set_ev_cls(ofp_event.EventOFPSwitchFeatures, CONFIG_DISPATCHER)
    def ready(self, event):
        openflow.miss_to_controller(event.msg.datapath)

    @set_ev_cls(ofp_event.EventOFPPacketIn, MAIN_DISPATCHER)
    def packet_in(self, event):
        self.places.forward(event.msg)
