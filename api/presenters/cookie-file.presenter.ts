import type { CookieFileState } from '#api/deps';

type State = CookieFileState | 'blank';

const MESSAGES = {
  fine: 'The cookies file can be read.',
  blank: 'There is no path.',
  'not-configured': 'There is no folder for cookies files here: see COOKIES_DIR.',
  outside: 'The path does not lead into the folder for cookies files.',
  missing: 'There is no such file.',
  unreadable: 'The file cannot be read.',
} as const satisfies Record<State, string>;

export const cookieFileMessage = (state: State): string => MESSAGES[state];

/** The answer to `GET /validate-cookies-file`. */
export const presentCookieFile = (state: State) => ({
  valid: state === 'fine',
  message: MESSAGES[state],
});
