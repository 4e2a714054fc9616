import { wholeSequence } from './split-sequence.ts';
import type { SplitSequence } from './split-sequence.ts';
import { attributesOf } from './tag-line.ts';

/**
 * The key in force, if it says no initialisation vector: then that is the segment's media sequence
 * number (RFC 8216 §5.2), and renumbering would make the segment unreadable.
 */
export class ImplicitKey {
  #line: string | undefined;

  /** Takes an `EXT-X-KEY` line. Keys of DRM systems stand beside it and change nothing. */
  seen(line: string): void {
    const attributes = new Map(attributesOf(line).map(({ name, value }) => [name, value]));
    if ((attributes.get('KEYFORMAT') ?? 'identity') !== 'identity') return;
    const isImplicit = attributes.get('METHOD') !== 'NONE' && !attributes.has('IV');
    this.#line = isImplicit ? line.trimEnd() : undefined;
  }

  /** The tag line that says for one segment what its number said before. */
  spelledOut(sequence: SplitSequence): string | undefined {
    const iv = wholeSequence(sequence).toString(16).padStart(32, '0');
    return this.#line && `${this.#line},IV=0x${iv}`;
  }
}
