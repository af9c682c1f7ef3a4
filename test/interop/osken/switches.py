"""The connected switches, and what they answer to os_ken.lib.ofctl_*, for applications with a REST interface."""

import re

import openflow
import rest
from os_ken.base import app_manager
from os_ken.controller import ofp_event
from os_ken.controller.handler import DEAD_DISPATCHER, MAIN_DISPATCHER, set_ev_cls
from os_ken.lib import ofctl_v1_0, ofctl_v1_2, ofctl_v1_3, ofctl_v1_4, ofctl_v1_5

OFCTL = dict(zip(openflow.VERSIONS.values(), (ofctl_v1_0, ofctl_v1_2, ofctl_v1_3, ofctl_v1_4, ofctl_v1_5)))
# Ports are told in the features of 1.0 and 1.2.
ANSWERS = [getattr(ofp_event, name) for name in dir(ofp_event) if re.fullmatch(r"EventOFP(\w+Reply|SwitchFeatures)", name)]
MORE_TO_COME = 1


class Switches(app_manager.OSKenApp):
    OFP_VERSIONS = [openflow.VERSION]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.datapaths = {}
        self.waiters = {}
        rest.serve(self)

    def datapath(self, dpid):
        """`dpid`: a number, or its text, decimal."""
        dp = self.datapaths.get(int(dpid))
        if dp is None:
            raise rest.Refused(f"no switch {dpid} is connected")
        return dp

    def ofctl(self, dp):
        return OFCTL[dp.ofproto.OFP_VERSION]

    @set_ev_cls(ofp_event.EventOFPStateChange, [MAIN_DISPATCHER, DEAD_DISPATCHER])
    def state_changed(self, event):
        if event.state == MAIN_DISPATCHER:
            self.datapaths[event.datapath.id] = event.datapath
            self.connected(event.datapath)
        else:
            self.datapaths.pop(event.datapath.id, None)

    def connected(self, dp):
        """A switch is there: for an application to override."""

    @set_ev_cls(ANSWERS, MAIN_DISPATCHER)
    def answered(self, event):
        message = event.msg
        waiting = self.waiters.get(message.datapath.id, {})
        if message.xid not in waiting:
            return
        lock, messages = waiting[message.xid]
        messages.append(message)
        if not getattr(message, "flags", 0) & MORE_TO_COME:
            del waiting[message.xid]
            lock.set()
