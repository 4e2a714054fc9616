import type { Agent as HttpAgent } from 'node:http';

/**
 * `node:http`, for whoever runs it. To import that by its name costs each process 12 MB and 30 ms:
 * an import reads every export, and two of them bring the WebSocket and fetch of Node.js along.
 */
const http = process.getBuiltinModule('node:http');

export const { Agent, STATUS_CODES, createServer, request } = http;
export type Agent = HttpAgent;
