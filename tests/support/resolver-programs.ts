import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Programs that are called and answer as Streamlink 5.2 and yt-dlp 2023.03 do: what they are told
 * comes by a configuration, media or JSON goes to standard output, words to standard error. What
 * they play is behind the address of the page itself.
 */
export type StandIns = AsyncDisposable & {
  readonly folder: string;
  /** Settings that have Penstock run them. */
  readonly env: Readonly<Record<'STREAMLINK_PATH' | 'YTDLP_PATH', string>>;
};

const COMMON = `
const { readFileSync } = require('node:fs');
const { spawn } = require('node:child_process');
const { get } = require('node:http');
const refuse = (text) => { process.stderr.write(text + '\\n'); process.exit(1); };
const values = (lines, name) =>
  lines.filter((line) => line.startsWith(name + '=')).map((line) => line.slice(name.length + 1));
const fetchPage = (url, headers, use) =>
  get(url, { headers }, (response) => {
    if (response.statusCode === 200) use(response);
    else refuse('error: Unable to open URL: ' + url + ' (' + response.statusCode + ' Client Error)');
  }).on('error', () => refuse('error: Unable to open URL: ' + url + ' (Connection refused)'));
const headersOf = (pairs, mark) =>
  Object.fromEntries(pairs.map((pair) => [pair.slice(0, pair.indexOf(mark)), pair.slice(pair.indexOf(mark) + 1)]));
process.stdout.on('error', () => process.exit(1));
`;

/** Starts a helper of its own, as it does where pictures and sound come apart. */
const STREAMLINK = `
const args = process.argv.slice(2);
if (args[0] === '--version') { console.log('streamlink 5.2.1'); process.exit(0); }
if (args.length !== 2 || args[0] !== '--config') refuse('error: called with ' + args.join(' '));
const lines = readFileSync(args[1], 'utf8').split('\\n');
if (!lines.includes('stdout')) refuse('error: no player');
const [url] = values(lines, 'url');
if (values(lines, 'default-stream')[0] === 'none') {
  refuse('error: The specified stream(s) \\'none\\' could not be found.\\n\\tAvailable streams: live');
}
spawn('sleep', ['300'], { stdio: 'ignore' });
const cookies = values(lines, 'http-cookie').join('; ');
const headers = { ...headersOf(values(lines, 'http-header'), '='), ...(cookies && { cookie: cookies }) };
headers['x-options'] = lines.filter((line) => /^(?:hls|twitch)/.test(line)).join(' ');
fetchPage(url, headers, (response) => {
  const end = url.includes('has-an-end') ? '3' : 'None';
  process.stderr.write('[stream.hls][debug] Start Sequence: 1; End Sequence: ' + end + '\\n');
  response.pipe(process.stdout);
  const over = () => process.exit(0);
  response.on('end', () => process.stdout.write('', over));
  response.on('error', over);
});
`;

const YTDLP = `
const args = process.argv.slice(2);
if (args[0] === '--version') { console.log('2023.03.04'); process.exit(0); }
if (args.join(' ') !== '--ignore-config --config-locations -') refuse('ERROR: called with ' + args.join(' '));
const told = readFileSync(0, 'utf8').split('\\n').filter(Boolean).map((line) => line.slice(1, -1));
if (!told.includes('--dump-json') || !told.includes('--no-download')) refuse('ERROR: would play');
if (told.includes('--')) refuse("ERROR: '--ignore-config' is not a valid URL");
const [cookies] = values(told, '--cookies');
const headers = headersOf(values(told, '--add-headers'), ':');
headers['x-format'] = values(told, '--format')[0];
if (cookies !== undefined) headers['x-cookies'] = encodeURIComponent(readFileSync(cookies, 'utf8'));
fetchPage(told.at(-1), headers, (response) => {
  response.pipe(process.stdout);
});
`;

export async function makeStandIns(): Promise<StandIns> {
  const folder = await mkdtemp(join(tmpdir(), 'penstock-resolvers-'));
  const write = async (name: string, body: string): Promise<string> => {
    const path = join(folder, name);
    await writeFile(path, `#!${process.execPath}\n${COMMON}${body}`);
    await chmod(path, 0o755);
    return path;
  };
  const env = {
    STREAMLINK_PATH: await write('streamlink', STREAMLINK),
    YTDLP_PATH: await write('yt-dlp', YTDLP),
  };
  return {
    folder,
    env,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
