"""Reads messages in hex, one a line, with os-ken's parsers; answers each with a line of JSON: what it read,
null where os-ken has no parser (for most of what a controller sends), or why not.

A line 'build VERSION CLASS JSON' asks for the bytes os-ken makes of a message, in hex.
"""
import json
import sys

from os_ken.ofproto import ofproto_parser, ofproto_protocol
import os_ken.ofproto.ofproto_v1_0_parser
import os_ken.ofproto.ofproto_v1_2_parser
import os_ken.ofproto.ofproto_v1_3_parser
import os_ken.ofproto.ofproto_v1_4_parser
import os_ken.ofproto.ofproto_v1_5_parser

datapaths = {}


def datapath(version):
    if version not in datapaths:
        datapaths[version] = ofproto_protocol.ProtocolDesc(version)
    return datapaths[version]


def read(text):
    data = bytes.fromhex(text)
    version, kind, length, xid = ofproto_parser.header(data)
    parsers = datapath(version).ofproto_parser._MSG_PARSERS
    if kind not in parsers:
        return None
    message = ofproto_parser.msg(datapath(version), version, kind, length, xid, data)
    if message is None:
        raise ValueError("malformed to os-ken")
    return {"class": type(message).__name__, "value": message.to_jsondict()}


def build(version, name, fields):
    path = datapath(int(version))
    message = ofproto_parser.ofp_msg_from_jsondict(path, json.loads(fields))
    message.serialize()
    return message.buf.hex()


for line in sys.stdin:
    try:
        words = line.strip().split(" ", 3)
        answer = build(*words[1:]) if words[0] == "build" else read(words[0])
        print(json.dumps({"ok": answer}), flush=True)
    except Exception as error:  # Whatever goes wrong is the answer.
        print(json.dumps({"error": repr(error)}), flush=True)
