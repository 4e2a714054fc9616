import type { NetworkDeps } from '#api/deps';
import { NotFoundError } from '#kernel/app-error';
import { startedBy } from '#networks';
import type { Network, StartRequest } from '#networks';

const none = async (): Promise<never> => {
  throw new NotFoundError('NETWORK_NOT_FOUND', { message: 'Broadcast not found' });
};

const start = async (request: StartRequest): Promise<Network> => ({
  ...startedBy(request, undefined, 1_700_000_000_000),
  state: 'running',
  pid: 77,
});

/** Starts whatever is asked, and knows of none. */
export const noNetworks = (): NetworkDeps => ({
  networks: {
    start,
    stop: none,
    find: none,
    folderOf: none,
    list: async () => [],
    remove: async () => false,
  },
  files: { readText: async () => undefined },
  folders: { folder: '/tmp/penstock-broadcasts', recordings: '/tmp/penstock-dvr' },
});
