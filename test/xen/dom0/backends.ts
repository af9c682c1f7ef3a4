/** Who serves the guests' vifs: the kernel's netback behind a Linux bridge or Open vSwitch, or xvifd. */
import { sh, succeeds } from './shell.js';

export interface Backend {
  readonly title: string;
  readonly bridge: string;
  /** An entry of xl's vif list for guest `n`, which gets the MAC address of that number. */
  vif(n: number, ...keys: readonly string[]): string;
  start(): Promise<void>;
  /** Leaves nothing behind; guests are gone before. */
  stop(): Promise<void>;
}

export function macOf(n: number, index = 0): string {
  return `00:16:3e:00:0${index}:${n.toString(16).padStart(2, '0')}`;
}

/** Loads what the kernel's backend needs, or says in words why not. */
async function loadNetback(): Promise<void> {
  await sh('modprobe', 'xen-netback');
}

async function unloadNetback(): Promise<void> {
  await sh('modprobe', '-r', 'xen-netback');
}

export const kernelBridge: Backend = {
  title: 'netback + Linux bridge',
  bridge: 'xenbr0',
  vif: (n, ...keys) => [`mac=${macOf(n)}`, 'bridge=xenbr0', ...keys].join(','),
  start: async () => {
    await loadNetback();
    await sh('ip', 'link', 'add', 'xenbr0', 'type', 'bridge');
    await sh('ip', 'link', 'set', 'xenbr0', 'up');
  },
  stop: async () => {
    await sh('ip', 'link', 'del', 'xenbr0');
    await unloadNetback();
  },
};

export const kernelOpenVswitch: Backend = {
  title: 'netback + Open vSwitch',
  bridge: 'ovsbr0',
  vif: (n, ...keys) => [`mac=${macOf(n)}`, 'bridge=ovsbr0', 'script=vif-openvswitch', ...keys].join(','),
  start: async () => {
    await loadNetback();
    await sh('modprobe', 'openvswitch');
    const running = await succeeds('ovs-vsctl', '--timeout=5', 'show');
    if (!running) await sh('/usr/share/openvswitch/scripts/ovs-ctl', 'start', '--system-id=random', '--no-monitor');
    await sh('ovs-vsctl', '--timeout=30', '--may-exist', 'add-br', 'ovsbr0');
  },
  stop: async () => {
    await sh('ovs-vsctl', '--timeout=30', 'del-br', 'ovsbr0');
    await sh('/usr/share/openvswitch/scripts/ovs-ctl', 'stop');
    await unloadNetback();
  },
};
