import { AccessControl, keyRecord, secretsOf } from '#access';
import type { BegunStore, SecretStore, StreamKeyStore } from '#access';
import type { Config } from '#config';
import { systemClock } from '#kernel/clock';
import type { Logger } from '#kernel/logger';

type AccessParts = {
  readonly config: Config;
  readonly state: {
    readonly secretStore: SecretStore;
    readonly keyStore: StreamKeyStore;
    readonly begunStore: BegunStore;
  };
  readonly revoked: (keyId: string) => void;
  readonly logger: Logger;
};

/** Who may watch. */
export function openAccess({
  config,
  state,
  revoked,
  logger,
}: AccessParts): Promise<AccessControl> {
  const { mode, secrets, keys } = config.access;
  const [newest, ...older] = secrets;
  return AccessControl.open({
    ...state,
    mode,
    secrets: newest === undefined ? undefined : secretsOf([newest, ...older]),
    fixedKeys: keys.map((key) => keyRecord({ ...key, createdAtMs: 0 })),
    revoked,
    clock: systemClock,
    logger,
  });
}
