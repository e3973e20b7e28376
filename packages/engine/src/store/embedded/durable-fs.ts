import { fdatasyncSync } from 'node:fs';
import { NodeFS } from '@electric-sql/pglite/nodefs';
import { OTHERS } from '../private-directory.ts';

/** What we touch of the WebAssembly file system: the tables of operations that each file and each open file goes through. */
interface Stream {
  readonly nfd: number;
}
interface Attributes {
  readonly mode?: number | null;
}
interface MountedFs {
  node_ops: {
    mknod(parent: unknown, name: string, mode: number, device: number): unknown;
    setattr: SetAttributes;
  };
  stream_ops: { fsync?: (stream: Stream) => number; setattr?: SetAttributes };
}
type SetAttributes = (node: unknown, attributes: Attributes) => void;
interface WasmModule {
  readonly FS: { readonly filesystems: { readonly NODEFS: MountedFs } };
}

/** Counts the syncs that reached the host, so that a test sees when an upgrade switches them off in silence. */
export const syncs = { count: 0 };

/**
 * PGlite's directory file system with a real fsync, and with files that nobody else can read. As it ships, `fsync` on its files does
 * nothing, so a commit that was acknowledged could be lost with the power; and each new file is opened to everybody (0666) after it was
 * made, whatever the umask of the process.
 */
export class DurableNodeFS extends NodeFS {
  override async init(...args: Parameters<NodeFS['init']>): ReturnType<NodeFS['init']> {
    const { emscriptenOpts } = await super.init(...args);
    const preRun = [...(emscriptenOpts.preRun as ((module: WasmModule) => void)[])];
    preRun.push(({ FS }) => {
      FS.filesystems.NODEFS.stream_ops.fsync = ({ nfd }) => {
        fdatasyncSync(nfd);
        syncs.count += 1;
        return 0;
      };
      closeToOthers(FS.filesystems.NODEFS);
    });
    return { emscriptenOpts: { ...emscriptenOpts, preRun } as typeof emscriptenOpts };
  }
}

function closeToOthers({ node_ops, stream_ops }: MountedFs): void {
  const make = node_ops.mknod;
  node_ops.mknod = (parent, name, mode, device) => make(parent, name, mode & ~OTHERS, device);
  const closed =
    (set: SetAttributes): SetAttributes =>
    (node, attributes) =>
      set(node, attributes.mode == null ? attributes : { ...attributes, mode: attributes.mode & ~OTHERS });
  node_ops.setattr = closed(node_ops.setattr);
  if (stream_ops.setattr !== undefined) stream_ops.setattr = closed(stream_ops.setattr);
}
