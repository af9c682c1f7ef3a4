"""A firewall with rules over REST, by the paths of Ryu's rest_firewall.

Nothing but ARP passes without a rule. What a rule lets through goes on by the switch's own NORMAL; what none does
is shown to the controller, which prints it.
"""

import openflow
import rest
from os_ken.controller import ofp_event
from os_ken.controller.handler import MAIN_DISPATCHER, set_ev_cls
from os_ken.lib.packet import ipv4, packet
from switches import Switches as Base

IPV4, ARP = 0x0800, 0x0806
PROTOCOLS = {"ICMP": 1, "TCP": 6, "UDP": 17}
STOP, ARP_PASSES, REPORT = 0xFFFF, 0xFFFE, 0


class Firewall(Base):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.rules = {}  # number, also the flow's cookie -> rule as it was given

    def connected(self, dp):
        ofproto = dp.ofproto
        openflow.add_flow(dp, REPORT, {}, [openflow.output(dp, ofproto.OFPP_CONTROLLER)])
        openflow.add_flow(dp, ARP_PASSES, {"eth_type": ARP}, [openflow.output(dp, ofproto.OFPP_NORMAL)])
        openflow.add_flow(dp, STOP, {}, [])

    @rest.route("PUT", "/firewall/module/enable/{dpid}")
    def enable(self, dpid, body):
        dp = self.datapath(int(dpid, 16))
        ofproto = dp.ofproto
        self.ofctl(dp).mod_flow_entry(dp, {"priority": STOP, "match": {}}, ofproto.OFPFC_DELETE_STRICT)

    @rest.route("PUT", "/firewall/module/disable/{dpid}")
    def disable(self, dpid, body):
        openflow.add_flow(self.datapath(int(dpid, 16)), STOP, {}, [])

    @rest.route("GET", "/firewall/rules/{dpid}")
    def list(self, dpid, body):
        """The rules with the counts of their flows."""
        dp = self.datapath(int(dpid, 16))
        flows = self.ofctl(dp).get_flow_stats(dp, self.waiters)[str(dp.id)]
        packets = {flow["cookie"]: flow["packet_count"] for flow in flows}
        return [{**rule, "rule_id": n, "packets": packets.get(n)} for n, rule in self.rules.items()]

    @rest.route("POST", "/firewall/rules/{dpid}")
    def add(self, dpid, body):
        dp = self.datapath(int(dpid, 16))
        protocol = body.get("nw_proto")
        if protocol is not None and protocol not in PROTOCOLS:
            raise rest.Refused(f"nw_proto {protocol}: one of {', '.join(PROTOCOLS)}")
        match = {key: body[key] for key in ("in_port", "nw_src", "nw_dst", "tp_src", "tp_dst") if key in body}
        match["dl_type"] = IPV4
        if protocol is not None:
            match["nw_proto"] = PROTOCOLS[protocol]
        number = max(self.rules, default=0) + 1
        allowed = body.get("actions", "ALLOW") == "ALLOW"
        flow = {
            "cookie": number,
            "priority": int(body.get("priority", 1)),
            "match": match,
            "actions": [{"type": "OUTPUT", "port": dp.ofproto.OFPP_NORMAL}] if allowed else [],
        }
        self.ofctl(dp).mod_flow_entry(dp, flow, dp.ofproto.OFPFC_ADD)
        self.rules[number] = body
        return {"rule_id": number}

    @rest.route("DELETE", "/firewall/rules/{dpid}")
    def remove(self, dpid, body):
        dp = self.datapath(int(dpid, 16))
        if self.rules.pop(body["rule_id"], None) is None:
            raise rest.Refused(f"there is no rule {body['rule_id']}")
        flow = {"cookie": body["rule_id"], "cookie_mask": 0xFFFFFFFFFFFFFFFF, "match": {}}
        self.ofctl(dp).mod_flow_entry(dp, flow, dp.ofproto.OFPFC_DELETE)

    @set_ev_cls(ofp_event.EventOFPPacketIn, MAIN_DISPATCHER)
    def blocked(self, event):
        ip = packet.Packet(event.msg.data).get_protocol(ipv4.ipv4)
        if ip is not None:
            print(f"blocked: {ip.src} to {ip.dst}, protocol {ip.proto}")
