"""Quality of service over REST, by the paths of Ryu's rest_qos: rules mark or meter in table 0, table 1 switches.

Queues are left out: they are made over OVSDB.
"""

import openflow
import rest
from switches import Switches as Base

IPV4 = 0x0800
PROTOCOLS = {"ICMP": 1, "TCP": 6, "UDP": 17}
SWITCHING = 1


class Qos(Base):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.rules = {}  # number, also the flow's cookie -> rule as it was given

    def connected(self, dp):
        on = [dp.ofproto_parser.OFPInstructionGotoTable(SWITCHING)]
        normal = [openflow.output(dp, dp.ofproto.OFPP_NORMAL)]
        openflow.add_flow(dp, 0, {}, [], instructions=on)
        openflow.add_flow(dp, 0, {}, normal, table_id=SWITCHING)

    @rest.route("GET", "/qos/rules/{dpid}")
    def list(self, dpid, body):
        return [{**rule, "qos_id": n} for n, rule in self.rules.items()]

    @rest.route("POST", "/qos/rules/{dpid}")
    def add(self, dpid, body):
        dp = self.datapath(int(dpid, 16))
        match = {"dl_type": IPV4, **body["match"]}
        if "nw_proto" in match:
            match["nw_proto"] = PROTOCOLS[match["nw_proto"]]
        does = []
        for name, value in body["actions"].items():
            if name == "mark":
                does.append({"type": "SET_FIELD", "field": "ip_dscp", "value": int(value)})
            elif name == "meter":
                does.append({"type": "METER", "meter_id": int(value)})
            else:
                raise rest.Refused(f"there is no action {name}")
        number = max(self.rules, default=0) + 1
        flow = {
            "cookie": number,
            "priority": int(body.get("priority", 1)),
            "match": match,
            "actions": [*does, {"type": "GOTO_TABLE", "table_id": SWITCHING}],
        }
        self.ofctl(dp).mod_flow_entry(dp, flow, dp.ofproto.OFPFC_ADD)
        self.rules[number] = body
        return {"qos_id": number}

    @rest.route("DELETE", "/qos/rules/{dpid}")
    def remove(self, dpid, body):
        dp = self.datapath(int(dpid, 16))
        if self.rules.pop(body["qos_id"], None) is None:
            raise rest.Refused(f"there is no rule {body['qos_id']}")
        flow = {"cookie": body["qos_id"], "cookie_mask": 0xFFFFFFFFFFFFFFFF, "match": {}}
        self.ofctl(dp).mod_flow_entry(dp, flow, dp.ofproto.OFPFC_DELETE)

    @rest.route("GET", "/qos/meter/{dpid}")
    def meters(self, dpid, body):
        dp = self.datapath(int(dpid, 16))
        return self.ofctl(dp).get_meter_config(dp, self.waiters)[str(dp.id)]

    @rest.route("POST", "/qos/meter/{dpid}")
    def add_meter(self, dpid, body):
        dp = self.datapath(int(dpid, 16))
        self.ofctl(dp).mod_meter_entry(dp, body, dp.ofproto.OFPMC_ADD)
