"""os_ken.lib.ofctl_* over REST: every request a library function of the switch's version, by the names of Ryu's ofctl_rest."""

import rest
from switches import Switches as Base

READ = {
    "desc": "get_desc_stats",
    "flow": "get_flow_stats",
    "aggregateflow": "get_aggregate_flow_stats",
    "table": "get_table_stats",
    "tablefeatures": "get_table_features",
    "port": "get_port_stats",
    "portdesc": "get_port_desc",
    "queue": "get_queue_stats",
    "queueconfig": "get_queue_config",
    "queuedesc": "get_queue_desc",
    "group": "get_group_stats",
    "groupdesc": "get_group_desc",
    "groupfeatures": "get_group_features",
    "meter": "get_meter_stats",
    "meterconfig": "get_meter_config",
    "meterdesc": "get_meter_desc",
    "meterfeatures": "get_meter_features",
    "role": "get_role",
}
WRITE = {
    "flowentry": ("mod_flow_entry", "OFPFC_"),
    "groupentry": ("mod_group_entry", "OFPGC_"),
    "meterentry": ("mod_meter_entry", "OFPMC_"),
}


def function_of(library, name):
    function = getattr(library, name, None)
    if function is None:
        raise rest.Refused(f"{library.__name__} has no {name}")
    return function


class OfctlRest(Base):
    @rest.route("GET", "/stats/switches")
    def switches(self, body):
        return list(self.datapaths)

    @rest.route("GET", "/stats/{what}/{dpid}")
    def read(self, what, dpid, body):
        dp = self.datapath(dpid)
        return function_of(self.ofctl(dp), READ[what])(dp, self.waiters)[dpid]

    @rest.route("POST", "/stats/flow/{dpid}")
    def flows(self, dpid, body):
        dp = self.datapath(dpid)
        return self.ofctl(dp).get_flow_stats(dp, self.waiters, body)[dpid]

    @rest.route("POST", "/stats/portdesc/modify")
    def modify_port(self, body):
        dp = self.datapath(body["dpid"])
        port = dp.ports[body["port_no"]]
        same = {"advertise": port.advertised} if hasattr(port, "advertised") else {"properties": []}
        self.ofctl(dp).mod_port_behavior(dp, {"hw_addr": port.hw_addr, **same, **body})

    @rest.route("POST", "/stats/{what}/{command}")
    def write(self, what, command, body):
        dp = self.datapath(body["dpid"])
        name, prefix = WRITE[what]
        function_of(self.ofctl(dp), name)(dp, body, getattr(dp.ofproto, prefix + command.upper()))
