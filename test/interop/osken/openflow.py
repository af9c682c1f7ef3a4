"""What the applications beside this file say to a switch, in each version of OpenFlow from 1.0 to 1.5."""

import os

from os_ken.lib.mac import haddr_to_bin
from os_ken.ofproto import ofproto_v1_0, ofproto_v1_2, ofproto_v1_3, ofproto_v1_4, ofproto_v1_5

VERSIONS = {
    "1.0": ofproto_v1_0.OFP_VERSION,
    "1.2": ofproto_v1_2.OFP_VERSION,
    "1.3": ofproto_v1_3.OFP_VERSION,
    "1.4": ofproto_v1_4.OFP_VERSION,
    "1.5": ofproto_v1_5.OFP_VERSION,
}
# The only version that an application speaks, so that the switch, which knows all, has to agree on it.
VERSION = VERSIONS[os.environ.get("OFP_VERSION", "1.3")]
MISS_GOES_UP = (ofproto_v1_0.OFP_VERSION, ofproto_v1_2.OFP_VERSION)
NAMES_1_0 = {"eth_src": "dl_src", "eth_dst": "dl_dst", "eth_type": "dl_type"}


def is_1_0(dp):
    return dp.ofproto.OFP_VERSION == ofproto_v1_0.OFP_VERSION


def in_port_of(message):
    return message.in_port if is_1_0(message.datapath) else message.match["in_port"]


def match_of(dp, fields):
    """An OFPMatch; `fields` are named as in OXM, MAC addresses are text."""
    if not is_1_0(dp):
        return dp.ofproto_parser.OFPMatch(**fields)
    binary = {k: haddr_to_bin(v) if k in ("eth_src", "eth_dst") else v for k, v in fields.items()}
    return dp.ofproto_parser.OFPMatch(**{NAMES_1_0.get(k, k): v for k, v in binary.items()})


def output(dp, port):
    return dp.ofproto_parser.OFPActionOutput(port, 0xFFFF)


def add_flow(dp, priority, fields, actions, **rest):
    """Adds a flow, to table 0 unless `rest`, which goes into the OFPFlowMod as it is, says another."""
    parser, ofproto = dp.ofproto_parser, dp.ofproto
    if is_1_0(dp):
        does = {"actions": actions}
    elif "instructions" in rest:
        does = {}
    else:
        apply = parser.OFPInstructionActions(ofproto.OFPIT_APPLY_ACTIONS, actions)
        does = {"instructions": [apply] if actions else []}
    rest.setdefault("cookie", 0)
    dp.send_msg(
        parser.OFPFlowMod(
            datapath=dp, command=ofproto.OFPFC_ADD, priority=priority, match=match_of(dp, fields), **does, **rest
        )
    )


def delete_flows(dp, fields):
    parser, ofproto = dp.ofproto_parser, dp.ofproto
    anywhere = {} if is_1_0(dp) else {"out_port": ofproto.OFPP_ANY, "out_group": ofproto.OFPG_ANY}
    match = match_of(dp, fields)
    dp.send_msg(
        parser.OFPFlowMod(datapath=dp, command=ofproto.OFPFC_DELETE, match=match, cookie=0, priority=0, **anywhere)
    )


def miss_to_controller(dp):
    """Sends up what nothing matches, where the version does not do so by itself."""
    if dp.ofproto.OFP_VERSION not in MISS_GOES_UP:
        add_flow(dp, 0, {}, [output(dp, dp.ofproto.OFPP_CONTROLLER)])


def packet_out(dp, in_port, actions, data):
    parser, none = dp.ofproto_parser, dp.ofproto.OFP_NO_BUFFER
    if dp.ofproto.OFP_VERSION == ofproto_v1_5.OFP_VERSION:
        source = {"match": parser.OFPMatch(in_port=in_port)}
    else:
        source = {"in_port": in_port}
    dp.send_msg(parser.OFPPacketOut(datapath=dp, buffer_id=none, actions=actions, data=data, **source))
