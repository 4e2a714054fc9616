/** What the program ends with, for scripts. */
export const EXIT = {
  /** The service refused or failed, or a test came out badly. */
  failed: 1,
  /** The command line makes no sense. */
  usage: 2,
  /** The service did not answer. */
  unreachable: 3,
  /** There is no such stream, viewer or webhook. */
  notFound: 4,
  /** The token is missing or wrong. */
  notAllowed: 5,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** What an answer that is no success had to say. */
export type Refusal = {
  readonly status: number;
  readonly code: string | null;
  readonly detail: string;
  readonly requestId: string | null;
};

/** Why a command did not do what it was asked; its message is for people. */
export class CommandFailure extends Error {
  readonly exitCode: ExitCode;
  readonly refusal: Refusal | undefined;

  constructor(message: string, exitCode: ExitCode, refusal?: Refusal) {
    super(message);
    this.name = 'CommandFailure';
    this.exitCode = exitCode;
    this.refusal = refusal;
  }
}

/** The failure that an answer stands for. */
export function refused(refusal: Refusal): CommandFailure {
  const { status, code, detail } = refusal;
  return new CommandFailure(
    `${detail.replace(/\.$/, '')} (${code ?? status})`,
    exitCodeOf(status),
    refusal,
  );
}

function exitCodeOf(status: number): ExitCode {
  if (status === 401 || status === 403) return EXIT.notAllowed;
  return status === 404 || status === 410 ? EXIT.notFound : EXIT.failed;
}

/** A failure as `--json` tells it. */
export const failureJson = ({ message, exitCode, refusal }: CommandFailure) => ({
  error: refusal?.detail ?? message,
  code: refusal?.code ?? null,
  status: refusal?.status ?? null,
  request_id: refusal?.requestId ?? null,
  exit_code: exitCode,
});
