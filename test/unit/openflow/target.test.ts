import { describe, expect, it } from 'vitest';
import { parseActive, parsePassive, parseTarget, TargetError } from '../../../src/openflow/index.js';
import { formatTarget } from '../../../src/openflow/target.js';

const longest = `/${'p'.repeat(106)}`;

describe('targets', () => {
  it.each([
    ['tcp:10.0.0.1', { kind: 'tcp', host: '10.0.0.1', port: 6653 }, 'tcp:10.0.0.1:6653'],
    ['tcp:controller.example:6633', { kind: 'tcp', host: 'controller.example', port: 6633 }],
    ['tcp:[fd00::1]', { kind: 'tcp', host: 'fd00::1', port: 6653 }, 'tcp:[fd00::1]:6653'],
    ['tcp:[fe80::1%eth0]:6633', { kind: 'tcp', host: 'fe80::1%eth0', port: 6633 }],
    ['ssl:10.0.0.1', { kind: 'ssl', host: '10.0.0.1', port: 6653 }, 'ssl:10.0.0.1:6653'],
    ['ssl:[fd00::1]:6633', { kind: 'ssl', host: 'fd00::1', port: 6633 }],
    ['pssl:', { kind: 'pssl', host: '0.0.0.0', port: 6653 }, 'pssl:6653:0.0.0.0'],
    ['ptcp:', { kind: 'ptcp', host: '0.0.0.0', port: 6653 }, 'ptcp:6653:0.0.0.0'],
    ['ptcp:0', { kind: 'ptcp', host: '0.0.0.0', port: 0 }, 'ptcp:0:0.0.0.0'],
    ['ptcp:6633:127.0.0.1', { kind: 'ptcp', host: '127.0.0.1', port: 6633 }],
    ['ptcp::127.0.0.1', { kind: 'ptcp', host: '127.0.0.1', port: 6653 }, 'ptcp:6653:127.0.0.1'],
    ['ptcp:6633:[::1]', { kind: 'ptcp', host: '::1', port: 6633 }],
    ['unix:/run/x:y', { kind: 'unix', path: '/run/x:y' }],
    ['punix:relative', { kind: 'punix', path: 'relative' }],
    [`punix:${longest}`, { kind: 'punix', path: longest }],
  ])('%s', (text, expected, formatted = text) => {
    expect(parseTarget(text)).toEqual(expected);
    expect(formatTarget(parseTarget(text))).toBe(formatted);
    expect(parseTarget(formatted)).toEqual(expected);
  });

  it.each([
    ['', 'expected tcp:'],
    ['tcp', 'expected tcp:'],
    ['udp:h:1', 'expected tcp:'],
    ['TCP:h', 'expected tcp:'],
    ['ssl:', 'ssl:HOST[:PORT]'],
    ['ssl:h:0', 'port 0'],
    ['pssl:x', 'pssl:[PORT][:HOST]'],
    ['tcp:', 'tcp:HOST[:PORT]'],
    ['tcp::6653', 'tcp:HOST[:PORT]'],
    ['tcp:[fd00::1', 'tcp:HOST[:PORT]'],
    ['tcp:[]:1', 'tcp:HOST[:PORT]'],
    ['tcp:[fd00::1]6653', 'tcp:HOST[:PORT]'],
    ['tcp:fd00::1', 'is not a port number'],
    ['tcp:h:', 'is not a port number'],
    ['tcp:h:65536', 'is not a port number'],
    ['tcp:h:-1', 'is not a port number'],
    ['tcp:h:0', 'port 0'],
    ['ptcp:x', 'ptcp:[PORT][:HOST]'],
    ['ptcp:1:', 'ptcp:[PORT][:HOST]'],
    ['ptcp:65536', 'is not a port number'],
    ['unix:', 'expected a path'],
    ['punix:', 'expected a path'],
    ['unix:/a\0b', 'NUL'],
    [`unix:${longest}p`, 'at most 107 bytes'],
    [`punix:/${'ü'.repeat(54)}`, 'at most 107 bytes'],
  ])('refuses "%s"', (text, sentence) => {
    expect(() => parseTarget(text)).toThrow(TargetError);
    expect(() => parseTarget(text)).toThrow(sentence);
  });

  it('to connect to and to listen on are not confused', () => {
    expect(() => parseActive('ptcp:6653')).toThrow('something to connect to');
    expect(() => parsePassive('unix:/x')).toThrow('something to listen on');
    expect(parseActive('unix:/x')).toEqual({ kind: 'unix', path: '/x' });
    expect(parsePassive('punix:/x')).toEqual({ kind: 'punix', path: '/x' });
  });
});
