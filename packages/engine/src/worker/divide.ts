import { isDataError } from '../store/trouble.ts';

/**
 * Writes items that share one statement, and tells each what became of it. A statement that fails for its data is divided and done
 * again until the culprit stands alone, so that nobody else's items fail with it: about twice log2(n) more statements for one culprit.
 * Any other failure, such as a database that is away, concerns all of them.
 */
export async function writeDivided<Item>(
  items: readonly Item[],
  write: (items: readonly Item[]) => Promise<void>,
  tell: { readonly written: (item: Item) => void; readonly failed: (item: Item, error: unknown) => void },
): Promise<void> {
  try {
    await write(items);
  } catch (error) {
    if (items.length === 1 || !isDataError(error)) {
      for (const item of items) tell.failed(item, error);
      return;
    }
    const half = Math.ceil(items.length / 2);
    await writeDivided(items.slice(0, half), write, tell);
    await writeDivided(items.slice(half), write, tell);
    return;
  }
  for (const item of items) tell.written(item);
}
