import { LIST_LIMITS } from './limits.ts';
import { UploadRefused } from './model.ts';

/**
 * How many uploads are under way on a node, of any kind: being received, waiting for a thread, or being read. Each organization has its
 * share, so that one that sends slowly or a lot fills only that.
 */
export class UploadPlaces {
  readonly #taken = new Map<string, number>();
  #all = 0;

  /** Takes a place and gives its release, or throws `UploadRefused` that says what is full. */
  take(organizationId: string): () => void {
    const own = this.#taken.get(organizationId) ?? 0;
    if (own >= LIST_LIMITS.uploadsOfOrganization)
      throw new UploadRefused(
        503,
        `Too many uploads are under way: an organization may have ${LIST_LIMITS.uploadsOfOrganization} at once; try again in a few seconds`,
      );
    if (this.#all >= LIST_LIMITS.uploadsAtOnce)
      throw new UploadRefused(503, 'Too many uploads are under way on this server; try again in a few seconds');
    this.#taken.set(organizationId, own + 1);
    this.#all += 1;
    let isTaken = true;
    return () => {
      if (!isTaken) return;
      isTaken = false;
      this.#all -= 1;
      const left = this.#taken.get(organizationId)! - 1;
      if (left === 0) this.#taken.delete(organizationId);
      else this.#taken.set(organizationId, left);
    };
  }
}
