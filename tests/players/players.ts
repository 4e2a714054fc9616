import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** A real player without a window and without loudspeakers. */
export type Player = {
  readonly name: string;
  /** The program that must be there. */
  readonly program: string;
  readonly args: (url: string) => readonly string[];
  /** It takes up other tracks when they are announced: it has to go on whatever the codecs. */
  readonly follows: boolean;
  /** What is written to it every second, to be told where it is. */
  readonly asks?: string;
  /** A line that tells so, in seconds. */
  readonly position: RegExp;
  /** Seconds that one of what it tells is; 1 when absent. */
  readonly unitS?: number;
  /** A line of complaint. */
  readonly complaint: RegExp;
};

const words = (line: string): readonly string[] => line.split(' ');

function gstreamer(
  name: string,
  { element, follows }: { readonly element: string; readonly follows: boolean },
): Player {
  return {
    name,
    program: 'gst-launch-1.0',
    follows,
    args: (url) => [
      '-q',
      element,
      `uri=${url}`,
      'video-sink=videoconvert ! progressreport update-freq=1 format=time ! fakesink sync=true',
      'audio-sink=fakesink sync=true',
    ],
    position: /progressreport0 \([\d:]+\): (\d+)/,
    complaint: /error|warning|critical/i,
  };
}

export const PLAYERS: readonly Player[] = [
  {
    name: 'VLC',
    program: 'cvlc',
    // The interface for scripts; it answers numbers alone.
    args: (url) => [...words('-I rc --rc-fake-tty --vout dummy --aout dummy --no-color'), url],
    follows: true,
    asks: 'get_time\n',
    position: /^(?:> )*(\d+)\s*$/,
    complaint: /error|discontinuity received|late picture|corrupt/i,
  },
  {
    name: 'mpv',
    program: 'mpv',
    args: (url) => [
      ...words('--no-config --vo=null --ao=null --no-input-terminal --msg-level=all=warn'),
      '--term-status-msg=at ${=time-pos}',
      '--msg-level=statusline=status',
      url,
    ],
    follows: false,
    position: /at (-?[\d.]+)\s*$/,
    complaint: /error|invalid|corrupt|warn/i,
  },
  gstreamer('GStreamer', { element: 'playbin', follows: true }),
  // The newer one leaves it to the application to choose among other tracks.
  gstreamer('GStreamer-3', { element: 'playbin3', follows: false }),
];

const ASK_EVERY_MS = 1000;
const END_DEADLINE_MS = 5000;

/** One run of a player. */
export class PlayerRun implements AsyncDisposable {
  readonly complaints: string[] = [];
  /** Where it was at each time that it told, in seconds. */
  readonly positions: number[] = [];
  readonly #player: Player;
  readonly #child: ChildProcess;
  readonly #asking: NodeJS.Timeout;

  constructor(player: Player, url: string) {
    this.#player = player;
    const [file = '', ...args] = asNobody([player.program, ...player.args(url)]);
    this.#child = spawn(file, args, { stdio: 'pipe', env: { ...ENVIRONMENT } });
    this.#child.on('error', ({ message }) => this.complaints.push(message));
    this.#child.stdin?.on('error', () => {
      // It has ended by itself, which its positions show.
    });
    for (const output of [this.#child.stdout, this.#child.stderr]) {
      output?.setEncoding('utf8').on('data', (text: string) => this.#hear(text));
    }
    this.#asking = setInterval(() => this.#ask(), ASK_EVERY_MS);
  }

  get positionS(): number {
    return this.positions.at(-1) ?? 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#asking);
    if (this.#child.exitCode !== null || this.#child.pid === undefined) return;
    const exited = once(this.#child, 'exit', { signal: AbortSignal.timeout(END_DEADLINE_MS) });
    this.#child.kill('SIGKILL');
    await exited;
  }

  #ask(): void {
    const { asks } = this.#player;
    if (asks !== undefined && this.#child.stdin?.writable) this.#child.stdin.write(asks);
  }

  #hear(text: string): void {
    for (const line of text.split(/[\r\n]+/)) {
      const position = this.#player.position.exec(line)?.[1];
      const { unitS = 1 } = this.#player;
      if (position !== undefined) this.positions.push(Number(position) * unitS);
      else if (this.#player.complaint.test(line)) this.complaints.push(line.trim());
    }
  }
}

/** No setting of the user's counts. */
const ENVIRONMENT = { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: '/tmp', LC_ALL: 'C.UTF-8' };
const NOBODY = words('setpriv --reuid=65534 --regid=65534 --clear-groups --');

/** VLC does not run as root. */
const asNobody = (command: readonly string[]): readonly string[] =>
  process.getuid?.() === 0 ? [...NOBODY, ...command] : command;
