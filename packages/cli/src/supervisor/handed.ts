import type { ChildProcess } from 'node:child_process';

/** A connection on its way to a process, as `node:cluster` sends it. */
interface Handing {
  readonly act?: string;
  readonly seq?: number;
}

interface Handle {
  close(): void;
}

/** How often it is looked whether the last messages of a process that ended have been read. */
const LOOK_MS = 5;

/**
 * Ends what a process leaves behind that dies just when a connection is handed to it. `node:cluster` hands over one at a
 * time and waits for the process to say that it has it; when that never comes, the client would wait for ever, and the
 * `disconnect` of the process would never be told (Node 24: a channel with an unanswered handle stays half closed).
 */
export function closeWhatWasHanded(child: ChildProcess): void {
  let handed: { readonly seq: number | undefined; readonly handle: Handle } | null = null;
  let isTold = false;
  const send = child.send.bind(child) as (...args: unknown[]) => boolean;
  child.send = (...args: unknown[]) => {
    const [message, handle] = args as [Handing, Handle | undefined];
    if (message.act === 'newconn' && handle !== undefined) handed = { seq: message.seq, handle };
    return send(...args);
  };
  child.on('internalMessage', ({ ack }: { readonly ack?: number }) => {
    if (ack !== undefined && ack === handed?.seq) handed = null;
  });
  child.once('disconnect', () => {
    isTold = true;
    handed?.handle.close();
  });
  child.once('exit', () => {
    const look = () => {
      if (isTold) return;
      // At the end of what can be read, the process counts as not connected, whether or not that is told.
      if (child.connected) setTimeout(look, LOOK_MS);
      else setTimeout(() => !isTold && child.emit('disconnect'), LOOK_MS);
    };
    look();
  });
}
