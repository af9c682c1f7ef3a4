"""An os-ken application of the lab: holds every switch to the policy that a file names, and takes changes of it.

The file (environment variable POLICY_FILE) has one JSON object: {"policy": "normal" | "drop" | "redirect", ...} with
"client" and "decoy" (ports), "server_ip", and for "redirect" the decoy's "decoy_ip" and "decoy_mac", the server's
"server_mac". "drop" drops echo requests of the client to the server; "redirect" has the decoy answer them in the
server's name. It prints "policy NAME in force" once a switch's barrier has answered.
"""

import json
import os

from os_ken.base import app_manager
from os_ken.controller import ofp_event
from os_ken.controller.handler import CONFIG_DISPATCHER, DEAD_DISPATCHER, MAIN_DISPATCHER, set_ev_cls
from os_ken.lib import hub
from os_ken.ofproto import ofproto_v1_3

ICMP = {"eth_type": 0x0800, "ip_proto": 1}


class Policy(app_manager.OSKenApp):
    OFP_VERSIONS = [ofproto_v1_3.OFP_VERSION]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.switches = {}
        self.text = None
        self.policy = None
        hub.spawn(self.follow_file)

    def follow_file(self):
        while True:
            try:
                with open(os.environ["POLICY_FILE"], encoding="utf-8") as file:
                    text = file.read()
                if text != self.text:
                    self.policy = json.loads(text)
                    self.text = text
                    for datapath in list(self.switches.values()):
                        self.enforce(datapath)
            except (OSError, ValueError):
                pass  # Not there yet, or half written.
            hub.sleep(0.3)

    @set_ev_cls(ofp_event.EventOFPSwitchFeatures, CONFIG_DISPATCHER)
    def switch_ready(self, event):
        datapath = event.msg.datapath
        self.switches[datapath.id] = datapath
        if self.policy is not None:
            self.enforce(datapath)

    @set_ev_cls(ofp_event.EventOFPStateChange, DEAD_DISPATCHER)
    def switch_gone(self, event):
        self.switches.pop(event.datapath.id, None)

    @set_ev_cls(ofp_event.EventOFPBarrierReply, [CONFIG_DISPATCHER, MAIN_DISPATCHER])
    def in_force(self, event):
        print("policy %s in force" % self.policy["policy"], flush=True)

    def enforce(self, datapath):
        parser, ofproto = datapath.ofproto_parser, datapath.ofproto
        policy = self.policy
        datapath.send_msg(
            parser.OFPFlowMod(
                datapath=datapath,
                command=ofproto.OFPFC_DELETE,
                table_id=ofproto.OFPTT_ALL,
                out_port=ofproto.OFPP_ANY,
                out_group=ofproto.OFPG_ANY,
            )
        )
        self.add(datapath, 0, parser.OFPMatch(), [parser.OFPActionOutput(ofproto.OFPP_NORMAL)])
        to_server = {"in_port": policy.get("client"), "ipv4_dst": policy.get("server_ip"), **ICMP}
        if policy["policy"] == "drop":
            self.add(datapath, 100, parser.OFPMatch(**to_server), [])
        if policy["policy"] == "redirect":
            self.add(
                datapath,
                100,
                parser.OFPMatch(**to_server),
                [
                    parser.OFPActionSetField(eth_dst=policy["decoy_mac"]),
                    parser.OFPActionSetField(ipv4_dst=policy["decoy_ip"]),
                    parser.OFPActionOutput(policy["decoy"]),
                ],
            )
            self.add(
                datapath,
                100,
                parser.OFPMatch(in_port=policy["decoy"], ipv4_src=policy["decoy_ip"], **ICMP),
                [
                    parser.OFPActionSetField(eth_src=policy["server_mac"]),
                    parser.OFPActionSetField(ipv4_src=policy["server_ip"]),
                    parser.OFPActionOutput(policy["client"]),
                ],
            )
        datapath.send_msg(parser.OFPBarrierRequest(datapath))

    @staticmethod
    def add(datapath, priority, match, actions):
        parser, ofproto = datapath.ofproto_parser, datapath.ofproto
        apply = parser.OFPInstructionActions(ofproto.OFPIT_APPLY_ACTIONS, actions)
        instructions = [apply] if actions else []
        datapath.send_msg(
            parser.OFPFlowMod(datapath=datapath, priority=priority, match=match, instructions=instructions)
        )
