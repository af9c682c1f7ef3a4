"""An IPv4 router with addresses and static routes over REST, by the paths of Ryu's rest_router.

The controller answers ARP and echo requests for the router's addresses and asks for next hops by ARP; packets are
routed in the switch: a flow for each host and each route rewrites both MAC addresses and takes one off the TTL.
"""

import ipaddress

import openflow
import rest
from os_ken.controller import ofp_event
from os_ken.controller.handler import MAIN_DISPATCHER, set_ev_cls
from os_ken.lib.packet import arp, ethernet, icmp, ipv4, packet
from switches import Switches as Base

IPV4, ARP, ICMP = 0x0800, 0x0806, 1
BROADCAST, UNKNOWN = "ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00"
MAC = "02:00:5e:00:00:01"
# Longer prefixes win; a host's own flow is as long as can be.
TO_CONTROLLER, PREFIX = 200, 100


def packet_of(*protocols):
    made = packet.Packet()
    for protocol in protocols:
        made.add_protocol(protocol)
    made.serialize()
    return made


class Router(Base):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.addresses = {}  # number -> IPv4Interface
        self.routes = {}  # number -> (IPv4Network, IPv4Address of the gateway)
        self.hosts = {}  # IPv4Address -> (MAC address, port)

    def connected(self, dp):
        up = [openflow.output(dp, dp.ofproto.OFPP_CONTROLLER)]
        openflow.add_flow(dp, TO_CONTROLLER, {"eth_type": ARP}, up)
        openflow.add_flow(dp, 1, {"eth_type": IPV4}, up)

    # REST

    @rest.route("GET", "/router/{dpid}")
    def show(self, dpid, body):
        return {
            "address": [{"address_id": n, "address": str(a)} for n, a in self.addresses.items()],
            "route": [{"route_id": n, "destination": str(d), "gateway": str(g)} for n, (d, g) in self.routes.items()],
        }

    @rest.route("POST", "/router/{dpid}")
    def add(self, dpid, body):
        dp = self.datapath(int(dpid, 16))
        if "address" in body:
            address = ipaddress.IPv4Interface(body["address"])
            for other in self.addresses.values():
                if other.network.overlaps(address.network):
                    raise rest.Refused(f"{address} overlaps {other}")
            number = max(self.addresses, default=0) + 1
            self.addresses[number] = address
            up = [openflow.output(dp, dp.ofproto.OFPP_CONTROLLER)]
            openflow.add_flow(dp, TO_CONTROLLER, {"eth_type": IPV4, "ipv4_dst": str(address.ip)}, up)
            return {"address_id": number}
        gateway = ipaddress.IPv4Address(body["gateway"])
        if self.address_towards(gateway) is None:
            raise rest.Refused(f"no address of the router is in the network of {gateway}")
        number = max(self.routes, default=0) + 1
        network = ipaddress.IPv4Network(body.get("destination", "0.0.0.0/0"))
        self.routes[number] = (network, gateway)
        if gateway in self.hosts:
            self.install(dp, network, gateway)
        else:
            self.ask(dp, gateway)
        return {"route_id": number}

    @rest.route("DELETE", "/router/{dpid}")
    def remove(self, dpid, body):
        dp = self.datapath(int(dpid, 16))
        if self.routes.pop(body.get("route_id"), None) is None:
            raise rest.Refused(f"there is no route {body.get('route_id')}")
        # All learned flows go; the ones still wanted come back with the next packet.
        openflow.delete_flows(dp, {})
        self.hosts.clear()
        self.connected(dp)
        up = [openflow.output(dp, dp.ofproto.OFPP_CONTROLLER)]
        for address in self.addresses.values():
            openflow.add_flow(dp, TO_CONTROLLER, {"eth_type": IPV4, "ipv4_dst": str(address.ip)}, up)

    # Routing

    def address_towards(self, host):
        return next((a for a in self.addresses.values() if host in a.network), None)

    def route_to(self, destination):
        fitting = [(network, gateway) for network, gateway in self.routes.values() if destination in network]
        return max(fitting, key=lambda route: route[0].prefixlen, default=(None, None))

    def install(self, dp, network, hop):
        mac, port = self.hosts[hop]
        parser = dp.ofproto_parser
        actions = [
            parser.OFPActionDecNwTtl(),
            parser.OFPActionSetField(eth_src=MAC),
            parser.OFPActionSetField(eth_dst=mac),
            openflow.output(dp, port),
        ]
        match = {"eth_type": IPV4}
        if network.prefixlen > 0:
            match["ipv4_dst"] = (str(network.network_address), str(network.netmask))
        openflow.add_flow(dp, PREFIX + network.prefixlen, match, actions)

    def ask(self, dp, host):
        source = str(self.address_towards(host).ip)
        frame = ethernet.ethernet(BROADCAST, MAC, ARP)
        query = arp.arp_ip(arp.ARP_REQUEST, MAC, source, UNKNOWN, str(host))
        flood = [openflow.output(dp, dp.ofproto.OFPP_FLOOD)]
        openflow.packet_out(dp, dp.ofproto.OFPP_CONTROLLER, flood, packet_of(frame, query).data)

    def learn(self, dp, host, mac, port):
        if self.address_towards(host) is None or self.hosts.get(host) == (mac, port):
            return
        self.hosts[host] = (mac, port)
        self.install(dp, ipaddress.IPv4Network(host), host)
        for network, gateway in self.routes.values():
            if gateway == host:
                self.install(dp, network, gateway)

    @set_ev_cls(ofp_event.EventOFPPacketIn, MAIN_DISPATCHER)
    def packet_in(self, event):
        dp, port = event.msg.datapath, openflow.in_port_of(event.msg)
        frame = packet.Packet(event.msg.data)
        link = frame.get_protocol(ethernet.ethernet)
        query, ip = frame.get_protocol(arp.arp), frame.get_protocol(ipv4.ipv4)
        if query is not None:
            self.heard_arp(dp, port, query)
        elif ip is not None:
            self.heard_ip(dp, port, link, ip, frame)

    def heard_arp(self, dp, port, query):
        self.learn(dp, ipaddress.IPv4Address(query.src_ip), query.src_mac, port)
        mine = [str(a.ip) for a in self.addresses.values()]
        if query.opcode == arp.ARP_REQUEST and query.dst_ip in mine:
            link = ethernet.ethernet(query.src_mac, MAC, ARP)
            reply = arp.arp_ip(arp.ARP_REPLY, MAC, query.dst_ip, query.src_mac, query.src_ip)
            self.send_back(dp, port, packet_of(link, reply))

    def heard_ip(self, dp, port, link, ip, frame):
        destination = ipaddress.IPv4Address(ip.dst)
        echo = frame.get_protocol(icmp.icmp)
        if destination in [a.ip for a in self.addresses.values()]:
            if echo is not None and echo.type == icmp.ICMP_ECHO_REQUEST:
                answer = icmp.icmp(icmp.ICMP_ECHO_REPLY, 0, 0, echo.data)
                back = ipv4.ipv4(src=ip.dst, dst=ip.src, proto=ICMP, ttl=64)
                self.send_back(dp, port, packet_of(ethernet.ethernet(link.src, MAC, IPV4), back, answer))
            return
        hop = destination if self.address_towards(destination) is not None else self.route_to(destination)[1]
        if hop is None:
            self.unreachable(dp, port, link, ip, frame)
        elif hop not in self.hosts:
            self.ask(dp, hop)

    def unreachable(self, dp, port, link, ip, frame):
        source = self.address_towards(ipaddress.IPv4Address(ip.src))
        if source is None:
            return
        start = len(link)
        quoted = icmp.dest_unreach(data=bytes(frame.data[start : start + len(ip) + 8]))
        note = icmp.icmp(icmp.ICMP_DEST_UNREACH, icmp.ICMP_HOST_UNREACH_CODE, 0, quoted)
        back = ipv4.ipv4(src=str(source.ip), dst=ip.src, proto=ICMP, ttl=64)
        self.send_back(dp, port, packet_of(ethernet.ethernet(link.src, MAC, IPV4), back, note))

    def send_back(self, dp, port, made):
        openflow.packet_out(dp, dp.ofproto.OFPP_CONTROLLER, [openflow.output(dp, port)], made.data)
