import type { Duplex } from 'node:stream';

/** Hears of every connection to a source. */
export interface ConnectionMeter {
  opened(socket: Duplex): void;
}

type CountingSocket = Duplex & { readonly bytesRead?: number };

/** What sources have sent, decrypted: sockets count by themselves, so that no chunk costs more. */
export class ReadMeter implements ConnectionMeter {
  readonly #open = new Set<CountingSocket>();
  #closedBytes = 0;

  get bytes(): number {
    return [...this.#open].reduce((sum, socket) => sum + bytesOf(socket), this.#closedBytes);
  }

  opened(socket: CountingSocket): void {
    if (this.#open.has(socket)) return;
    this.#open.add(socket);
    socket.once('close', () => {
      this.#open.delete(socket);
      this.#closedBytes += bytesOf(socket);
    });
  }
}

const bytesOf = ({ bytesRead = 0 }: CountingSocket): number => bytesRead;
