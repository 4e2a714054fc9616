import { handedOn } from '#networks';
import type { Network, NetworkQueue, NetworkStore } from '#networks';

/**
 * Hands what is to be told to the queue. When this breaks off, whoever looks at the record next
 * does it anew: the queue takes nothing twice.
 */
export async function tellCallbacks(
  { store, queue }: { readonly store: NetworkStore; readonly queue: NetworkQueue },
  { id, callbacks }: Pick<Network, 'id' | 'callbacks'>,
): Promise<void> {
  for (const callback of callbacks) {
    await queue.tell(callback);
    await store.change(id, (current) => handedOn(current, callback.id));
  }
}
