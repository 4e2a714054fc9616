/** Reads `openapi.yaml` in a thread of its own and sends it back as JSON. */
import { parentPort } from 'node:worker_threads';
import { readApiDocument } from './read-api-document.ts';

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- no window: a thread.
parentPort?.postMessage(JSON.stringify(readApiDocument()));
