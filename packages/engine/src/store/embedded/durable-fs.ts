import { fdatasyncSync } from 'node:fs';
import { NodeFS } from '@electric-sql/pglite/nodefs';

/** What we touch of the WebAssembly file system: the table of operations that each open file goes through. */
interface Stream {
  readonly nfd: number;
}
interface MountedFs {
  stream_ops: { fsync?: (stream: Stream) => number };
}
interface WasmModule {
  readonly FS: { readonly filesystems: { readonly NODEFS: MountedFs } };
}

/** Counts the syncs that reached the host, so that a test sees when an upgrade switches them off in silence. */
export const syncs = { count: 0 };

/**
 * PGlite's directory file system with a real fsync. As it ships, `fsync` on its files does nothing, so a commit that
 * was acknowledged could be lost with the power.
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
    });
    return { emscriptenOpts: { ...emscriptenOpts, preRun } as typeof emscriptenOpts };
  }
}
