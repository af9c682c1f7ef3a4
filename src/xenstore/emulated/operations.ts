/**
 * What the requests on nodes do, as xenstored does it: implicit parents, inherited permissions, error codes that do
 * not tell a caller of nodes it may not see, quotas for unprivileged callers. Every function fails with
 * {@link StoreFailure}; on a plain (transactionless) view a failed call has changed nothing.
 */
import type { Permission } from '../permissions.js';
import { PAYLOAD_MAX } from '../wire.js';
import { type Caller, isPrivileged, may, type Right } from './access.js';
import { StoreFailure } from './failure.js';
import { nodeHeaderSize, nodePermissionSize } from './limits.js';
import { type Change, type NodeContent, type NodeView, ownerOf, type StoreNode } from './nodes.js';
import { baseName, canonical, childOf, parentOf } from './paths.js';

export function read(view: NodeView, caller: Caller, path: string): Buffer {
  return existing(view, caller, resolve(caller, path), 'read').value;
}

/** Names of the children, each NUL-terminated. E2BIG when they do not fit into one reply. */
export function directory(view: NodeView, caller: Caller, path: string): Buffer {
  const names = childNames(existing(view, caller, resolve(caller, path), 'read'));
  if (names.length > PAYLOAD_MAX) throw new StoreFailure('E2BIG');
  return names;
}

/** Generation and as many whole names as fit from byte `offset` of the list on; an empty name after the last. */
export function directoryPart(view: NodeView, caller: Caller, path: string, offset: number): Buffer {
  const node = existing(view, caller, resolve(caller, path), 'read');
  const names = childNames(node);
  const generation = Buffer.from(`${node.generation}\0`);
  const end = Buffer.from('\0');
  if (!(offset < names.length)) return Buffer.concat([generation, end]);
  const room = PAYLOAD_MAX - generation.length - end.length;
  const rest = names.subarray(offset);
  if (rest.length <= room) return Buffer.concat([generation, rest, end]);
  return Buffer.concat([generation, rest.subarray(0, rest.lastIndexOf(0, room - 1) + 1)]);
}

export function write(view: NodeView, caller: Caller, path: string, value: Buffer): void {
  const name = resolve(caller, path);
  const node = find(view, caller, name, 'write');
  if (node === undefined) {
    create(view, caller, name, value);
    return;
  }
  const content = { ...node, value };
  checkSize(caller, content);
  view.put(name, content);
  fire(view, name);
}

export function mkdir(view: NodeView, caller: Caller, path: string): void {
  const name = resolve(caller, path);
  if (find(view, caller, name, 'write') === undefined) create(view, caller, name, Buffer.alloc(0));
}

export function rm(view: NodeView, caller: Caller, path: string): void {
  const name = resolve(caller, path);
  const parent = parentOf(name);
  if (find(view, caller, name, 'write') === undefined) {
    if (parent === undefined || view.get(parent) === undefined) throw new StoreFailure('ENOENT');
    return;
  }
  if (parent === undefined) throw new StoreFailure('EINVAL');
  removeTree(view, name);
}

export function getPermissions(view: NodeView, caller: Caller, path: string): readonly Permission[] {
  return existing(view, caller, resolve(caller, path, true), 'read').permissions;
}

export function setPermissions(view: NodeView, caller: Caller, path: string, permissions: readonly Permission[]): void {
  if (permissions.length > caller.quota.nodePermissions) throw new StoreFailure('ENOSPC');
  const name = resolve(caller, path, true);
  const node = existing(view, caller, name, 'own');
  if (!isPrivileged(caller) && permissions[0]!.domid !== ownerOf(node)) throw new StoreFailure('EPERM');
  view.put(name, { ...node, permissions });
  fire(view, name, node.permissions);
}

/** Removes the node, all below it, and its name in its parent, without asking anybody (a domain died). */
export function removeTree(view: NodeView, name: string): void {
  const parentName = parentOf(name)!;
  const parent = view.get(parentName)!;
  const removed: Change[] = [];
  collect(view, name, parent.permissions, false, removed);
  for (const { path } of removed) view.remove(path);
  view.put(parentName, { ...parent, children: parent.children.filter((child) => child !== baseName(name)) });
  for (const change of removed) view.changed(change);
}

/** Nodes of a subtree, children first, with who could see them. */
function collect(
  view: NodeView,
  name: string,
  parentPermissions: readonly Permission[],
  exact: boolean,
  into: Change[],
): void {
  const node = view.get(name)!;
  for (const child of node.children) collect(view, childOf(name, child), node.permissions, true, into);
  into.push({ path: name, exact, readable: [node.permissions, parentPermissions] });
}

function resolve(caller: Caller, path: string, allowSpecial = false): string {
  return canonical(path, caller.domid, caller.quota.pathLength, allowSpecial);
}

/** Undefined when the caller may know that there is no such node; fails with EACCES otherwise. */
function find(view: NodeView, caller: Caller, name: string, right: Right): StoreNode | undefined {
  const node = view.get(name);
  if (node !== undefined) {
    if (!may(caller, node.permissions, right)) throw new StoreFailure('EACCES');
    return node;
  }
  for (let above = parentOf(name); above !== undefined; above = parentOf(above)) {
    const ancestor = view.get(above);
    if (ancestor === undefined) continue;
    if (!may(caller, ancestor.permissions, right)) throw new StoreFailure('EACCES');
    break;
  }
  return undefined;
}

function existing(view: NodeView, caller: Caller, name: string, right: Right): StoreNode {
  const node = find(view, caller, name, right);
  if (node === undefined) throw new StoreFailure('ENOENT');
  return node;
}

/** Makes the node and the parents it lacks. Everything is checked before the first change. */
function create(view: NodeView, caller: Caller, name: string, value: Buffer): void {
  const missing: string[] = [];
  let top: string | undefined = name;
  while (top !== undefined && view.get(top) === undefined) {
    missing.push(top);
    top = parentOf(top);
  }
  if (top === undefined) throw new StoreFailure('ENOENT');
  if (view.owned(caller.domid) + missing.length > caller.quota.nodes) throw new StoreFailure('ENOSPC');

  const ancestor = view.get(top)!;
  const [owner, ...others] = ancestor.permissions;
  const permissions = isPrivileged(caller)
    ? ancestor.permissions
    : [{ domid: caller.domid, access: owner!.access }, ...others];
  const contents = missing.map((_, index) => ({
    value: index === 0 ? value : Buffer.alloc(0),
    permissions,
    children: index === 0 ? [] : [baseName(missing[index - 1]!)],
  }));
  const grown = { ...ancestor, children: [...ancestor.children, baseName(missing.at(-1)!)] };
  for (const content of [...contents, grown]) checkSize(caller, content);

  contents.forEach((content, index) => {
    view.put(missing[index]!, content);
  });
  view.put(top, grown);
  fire(view, name);
}

function checkSize(caller: Caller, node: NodeContent): void {
  const size =
    nodeHeaderSize +
    node.permissions.length * nodePermissionSize +
    node.value.length +
    node.children.reduce((sum, name) => sum + name.length + 1, 0);
  if (size >= caller.quota.nodeSize) throw new StoreFailure('ENOSPC');
}

function fire(view: NodeView, path: string, before?: readonly Permission[]): void {
  const parent = parentOf(path);
  const lists = [view.peek(path)?.permissions, parent && view.peek(parent)?.permissions, before];
  view.changed({ path, exact: false, readable: lists.filter((list) => typeof list === 'object') });
}

function childNames(node: StoreNode): Buffer {
  return Buffer.from(node.children.map((name) => `${name}\0`).join(''));
}
