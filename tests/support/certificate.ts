import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export type Certificate = {
  readonly key: Buffer;
  readonly cert: Buffer;
  /** For `NODE_EXTRA_CA_CERTS` of a process that shall trust it. */
  readonly certPath: string;
};

/** A certificate that nobody signed but itself, for 127.0.0.1 and localhost; made by openssl. */
export async function selfSignedCertificate(): Promise<Certificate> {
  const folder = join(tmpdir(), 'penstock-certificate-v1');
  const certPath = join(folder, 'cert.pem');
  const keyPath = join(folder, 'key.pem');
  const isThere = await readFile(certPath).then(
    () => true,
    () => false,
  );
  if (!isThere) await makeIn(folder);
  return { key: await readFile(keyPath), cert: await readFile(certPath), certPath };
}

async function makeIn(folder: string): Promise<void> {
  const draft = await mkdtemp(`${folder}-`);
  const line =
    'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 -subj /CN=localhost' +
    ' -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout key.pem -out cert.pem';
  await run('openssl', line.split(' '), { cwd: draft, timeout: 30_000 });
  // Who comes second finds the folder taken by the same thing.
  await rename(draft, folder).catch(() => rm(draft, { recursive: true, force: true }));
}
