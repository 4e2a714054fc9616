import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

const WORKER = new URL('api-document-worker.ts', import.meta.url);
const DEADLINE_MS = 30_000;

/** `openapi.yaml` as JSON, once somebody wants it: few do, and it takes time and memory to read. */
export class ApiDocument {
  #text: Promise<string> | undefined;

  /** Made beside the event loop, which has viewers to serve. */
  text(): Promise<string> {
    this.#text ??= readAside().catch((error: unknown) => {
      this.#text = undefined;
      throw error;
    });
    return this.#text;
  }
}

async function readAside(): Promise<string> {
  const worker = new Worker(WORKER);
  try {
    const [text] = await once(worker, 'message', { signal: AbortSignal.timeout(DEADLINE_MS) });
    return String(text);
  } finally {
    await worker.terminate();
  }
}
