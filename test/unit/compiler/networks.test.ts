/** Which network an address is in, compared with looking at all of them; and a router with many of them. */
import { describe, expect, it } from 'vitest';
import { Networks } from '../../../src/compiler/router/networks.js';
import { contains, overlap, type Prefix, parseAddress, parsePrefix } from '../../../src/compiler/router/prefix.js';
import { compiled, said } from './cases.js';

/** Park and Miller's generator: the same in every run. */
function randomOf(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (state * 48_271) % 0x7fff_ffff;
    return state % limit;
  };
}

describe('networks', () => {
  it.each([1, 2, 3, 4, 5])('are those that looking at all of them finds (seed %i)', (seed) => {
    const random = randomOf(seed);
    const networks = new Networks<Prefix>();
    const added: { readonly network: Prefix; readonly subnet: string }[] = [];
    for (let i = 0; i < 400; i++) {
      const network = parsePrefix(`10.${random(4)}.${random(256)}.${random(256)}/${12 + random(21)}`)!;
      const subnet = `s${random(20)}`;
      const others = added.filter((one) => one.subnet !== subnet && overlap(one.network, network));
      const other = networks.add(network, subnet);
      if (others.length === 0) {
        expect(other).toBeUndefined();
        added.push({ network, subnet });
      } else {
        expect(others.map((one) => one.network)).toContain(other);
      }
    }
    const subnetsOf = (one: Prefix) => added.filter(({ network }) => network === one).map(({ subnet }) => subnet);
    for (let i = 0; i < 2000; i++) {
      const address = parseAddress(`10.${random(4)}.${random(256)}.${random(256)}`)!;
      const holding = added.filter(({ network }) => contains(network, address));
      const found = networks.find(address);
      if (holding.length === 0) expect(found).toBeUndefined();
      else expect(subnetsOf(found!)).toEqual([holding[0]!.subnet]);
    }
  });

  it('of both families are apart', () => {
    const networks = new Networks<Prefix>();
    const [v4, v6] = [parsePrefix('0.0.0.0/0')!, parsePrefix('::/0')!];
    expect(networks.add(v4, 'a')).toBeUndefined();
    expect(networks.add(v6, 'b')).toBeUndefined();
    expect(networks.find(parseAddress('10.0.0.1')!)).toBe(v4);
    expect(networks.find(parseAddress('fd00::1')!)).toBe(v6);
  });
});

describe('a router of many subnets and routes', () => {
  const SUBNETS = 100;
  const ROUTES = 400;
  const subnets = Array.from({ length: SUBNETS }, (_, i) => {
    const network = `10.${i >> 8}.${i & 255}`;
    return `  - {name: s${i}, gateway: [${network}.1/24, "fd00:${i.toString(16)}::1/64"], ports: [{port: 1, vlan: ${i + 1}}]}`;
  });
  const routes = Array.from({ length: ROUTES }, (_, i) => {
    const via = i % SUBNETS;
    return `  - {to: 172.${16 + (i >> 8)}.${i & 255}.0/24, via: 10.${via >> 8}.${via & 255}.2}`;
  });
  const head = 'apiVersion: xvif.dev/v1alpha1\nkind: Router\nmetadata: {name: r}\nspec:\n  learn: false\n';

  it('has a flow for each, by the subnet of its next hop', () => {
    const { program, diagnostics } = compiled(
      `${head}  subnets:\n${subnets.join('\n')}\n  routes:\n${routes.join('\n')}\n`,
    );
    expect(diagnostics.errors, said(diagnostics)).toBe(0);
    const names = program.flows.map(({ origin }) => origin.name);
    expect(names.filter((name) => name.startsWith('router/to-172.'))).toHaveLength(ROUTES);
    expect(names.filter((name) => name.startsWith('router/to-10.'))).toHaveLength(SUBNETS);
  });
});
