"""Mininet's own tests on a tree of xvif switches (depth 2, fanout 2): mininet-tree.py PORT. Prints JSON.

PORT: where a controller listens on 127.0.0.1. Not `mn`, which at an error kills programs of the host by their names.
"""

import json
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples" / "mininet"))

import mininet.net
from mininet.net import Mininet
from mininet.node import RemoteController
from mininet.topolib import TreeTopo
from xvif import XvifSwitch

SECONDS = 280


def stopped(*_):
    raise SystemExit("stopped")


def wait_for_iperf(client, address, port, timeout=30):
    """In place of Mininet's, which connects and says nothing: iperf from 2.1 on reports no such connection, and
    Mininet waits for that report for ever."""
    return client.cmd(f"for _ in $(seq {timeout}); do iperf -p {port} -t 0.5 -c {address} && break; sleep 1; done")


mininet.net.waitListening = wait_for_iperf
signal.signal(signal.SIGTERM, stopped)
signal.signal(signal.SIGALRM, stopped)
signal.alarm(SECONDS)
net = Mininet(
    topo=TreeTopo(depth=2, fanout=2),
    switch=XvifSwitch,
    controller=lambda name: RemoteController(name, port=int(sys.argv[1])),
    autoSetMacs=True,
)
try:
    net.start()
    result = {"connected": net.waitConnected(timeout=60)}
    result["lost"] = net.pingAll()
    result["again"] = net.pingAll()
    result["tcp"] = net.iperf(seconds=2)
    result["flows"] = {switch.name: switch.dpctl("dump-flows") for switch in net.switches}
    result["ports"] = {switch.name: switch.xvif("ports") for switch in net.switches}
    net.configLinkStatus("s1", "s2", "down")
    result["cut"] = net.pingAll(timeout=1)
    print(json.dumps(result))
finally:
    net.stop()
