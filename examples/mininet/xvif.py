"""xvif-switch as a kind of switch for Mininet: `mn --custom examples/mininet/xvif.py --switch xvif ...`.

Each switch of the topology is an xvifd of its own, whose ports are packet sockets on Mininet's interfaces.
"""

import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from time import sleep

from mininet.node import Switch

PROGRAMS = Path(__file__).resolve().parents[2] / "dist" / "src"
START_SECONDS = 60


class XvifSwitch(Switch):
    """failMode: secure or standalone. protocols: as in xvifd --protocols, None for all. workers: threads."""

    def __init__(self, name, failMode="secure", protocols=None, workers=1, **params):
        super().__init__(name, **params)
        self.fail_mode, self.protocols, self.workers = failMode, protocols, workers
        self.run_dir = self.daemon = self.log = None

    def start(self, controllers):
        self.run_dir = Path(tempfile.mkdtemp(prefix=f"xvif-{self.name}-"))
        self.log = open(self.run_dir / "xvifd.log", "wb")
        options = {
            "run-dir": self.run_dir,
            "bridge": self.name,
            "datapath-id": self.dpid,
            "fail-mode": self.fail_mode,
            "protocols": self.protocols,
            "workers": self.workers,
            "local": "null",
            "hypervisor": "emulated",
        }
        arguments = [f"--{key}={value}" for key, value in options.items() if value is not None]
        arguments += [f"--controller={c.protocol}:{c.IP()}:{c.port}" for c in controllers]
        arguments += [f"--listen=ptcp:{self.listenPort}:127.0.0.1"] if self.listenPort else []
        self.daemon = subprocess.Popen(
            ["node", PROGRAMS / "xvifd" / "xvifd.js", *arguments, *self.port_options()],
            stdout=self.log,
            stderr=subprocess.STDOUT,
            # A Ctrl-C at Mininet's prompt is for the prompt.
            start_new_session=True,
        )
        self.wait_until_up()

    def port_options(self):
        """xvifd numbers ports in the order they are named; a number that Mininet left out is a port to nowhere."""
        interfaces = {number: interface for number, interface in self.intfs.items() if number > 0}
        for number in range(1, max(interfaces, default=0) + 1):
            if number not in interfaces:
                yield f"--port=none{number}=null"
                continue
            name = interfaces[number].name
            # The host's own stack is to say nothing on it.
            self.cmd("sysctl", "-qw", f"net.ipv6.conf.{name}.disable_ipv6=1")
            yield f"--port={name}=packet:{name}"

    def wait_until_up(self):
        for _ in range(START_SECONDS * 10):
            if (self.run_dir / f"{self.name}.mgmt").exists():
                return
            if self.daemon.poll() is not None:
                break
            sleep(0.1)
        raise RuntimeError(f"{self.name}: xvifd did not start:\n{(self.run_dir / 'xvifd.log').read_text()}")

    def xvif(self, *arguments):
        """Output of the xvif command for this switch."""
        command = ["node", PROGRAMS / "cli" / "xvif.js", "--run-dir", self.run_dir, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    def connected(self):
        bridge = json.loads(self.xvif("--json", "show"))["bridges"][0]
        controllers = bridge.get("controllers", [])
        return self.fail_mode == "standalone" or any(c.get("connected") for c in controllers)

    def dpctl(self, *arguments):
        """Mininet's `dpctl` command: ovs-ofctl, in OpenFlow 1.3."""
        target = f"unix:{self.run_dir}/{self.name}.mgmt"
        return self.cmd("ovs-ofctl", "-O", "OpenFlow13", arguments[0], target, *arguments[1:])

    def stop(self, deleteIntfs=True):
        if self.daemon is not None:
            self.daemon.terminate()
            self.daemon.wait()
            self.log.close()
            shutil.rmtree(self.run_dir)
            self.daemon = None
        super().stop(deleteIntfs)


# What `mn --switch xvif` looks for in a --custom file.
switches = {"xvif": XvifSwitch}
