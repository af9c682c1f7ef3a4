"""A learning switch for os-ken's osken-manager, OpenFlow 1.3.

Each switch gets one table-miss entry that sends what nothing matches to the controller. A packet that comes up teaches
where its source is; once the destination is known too, an exact entry for the pair keeps later packets in the switch.
"""

from os_ken.base import app_manager
from os_ken.controller import ofp_event
from os_ken.controller.handler import CONFIG_DISPATCHER, DEAD_DISPATCHER, MAIN_DISPATCHER, set_ev_cls
from os_ken.lib.packet import ether_types, ethernet, packet
from os_ken.ofproto import ofproto_v1_3

PRIORITY_MISS = 0
PRIORITY_PAIR = 10
IDLE_SECONDS = 60


def is_group_address(mac):
    return int(mac[:2], 16) & 1 == 1


class LearningSwitch(app_manager.OSKenApp):
    OFP_VERSIONS = [ofproto_v1_3.OFP_VERSION]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        # datapath id -> {MAC address: port}
        self.places = {}

    @set_ev_cls(ofp_event.EventOFPSwitchFeatures, CONFIG_DISPATCHER)
    def switch_ready(self, event):
        datapath = event.msg.datapath
        parser, ofproto = datapath.ofproto_parser, datapath.ofproto
        self.places[datapath.id] = {}
        to_controller = parser.OFPActionOutput(ofproto.OFPP_CONTROLLER, ofproto.OFPCML_NO_BUFFER)
        self.add_flow(datapath, parser.OFPMatch(), PRIORITY_MISS, [to_controller])
        self.logger.info("switch %016x is ready", datapath.id)

    @set_ev_cls(ofp_event.EventOFPStateChange, DEAD_DISPATCHER)
    def switch_gone(self, event):
        if event.datapath.id is not None:
            self.places.pop(event.datapath.id, None)

    @set_ev_cls(ofp_event.EventOFPPacketIn, MAIN_DISPATCHER)
    def packet_in(self, event):
        message = event.msg
        datapath = message.datapath
        parser, ofproto = datapath.ofproto_parser, datapath.ofproto
        frame = packet.Packet(message.data).get_protocol(ethernet.ethernet)
        if frame is None or frame.ethertype == ether_types.ETH_TYPE_LLDP:
            return

        in_port = message.match["in_port"]
        places = self.places.setdefault(datapath.id, {})
        if not is_group_address(frame.src):
            places[frame.src] = in_port
        out_port = None if is_group_address(frame.dst) else places.get(frame.dst)

        actions = [parser.OFPActionOutput(ofproto.OFPP_FLOOD if out_port is None else out_port)]
        buffered = message.buffer_id != ofproto.OFP_NO_BUFFER
        if out_port is not None:
            match = parser.OFPMatch(in_port=in_port, eth_src=frame.src, eth_dst=frame.dst)
            self.add_flow(datapath, match, PRIORITY_PAIR, actions, message.buffer_id, IDLE_SECONDS)
            if buffered:
                return  # The flow_mod releases the packet.
        datapath.send_msg(
            parser.OFPPacketOut(
                datapath=datapath,
                buffer_id=message.buffer_id,
                in_port=in_port,
                actions=actions,
                data=None if buffered else message.data,
            )
        )

    @staticmethod
    def add_flow(datapath, match, priority, actions, buffer_id=None, idle_timeout=0):
        parser, ofproto = datapath.ofproto_parser, datapath.ofproto
        apply = parser.OFPInstructionActions(ofproto.OFPIT_APPLY_ACTIONS, actions)
        datapath.send_msg(
            parser.OFPFlowMod(
                datapath=datapath,
                buffer_id=ofproto.OFP_NO_BUFFER if buffer_id is None else buffer_id,
                priority=priority,
                idle_timeout=idle_timeout,
                match=match,
                instructions=[apply],
            )
        )
