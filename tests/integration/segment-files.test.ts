import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openSegmentFiles } from '../../services/adapters/fs/segment-files.ts';

async function folder() {
  const path = await mkdtemp(join(tmpdir(), 'penstock-segments-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** No process has it: above the highest number that Linux gives. */
const NOBODY = '4194999';

describe('files of segments', () => {
  it('come back as they were, and are gone when they are removed', async () => {
    await using root = await folder();
    const files = await openSegmentFiles(root.path);
    await files.write('1', Buffer.from('one'));
    expect((await files.read('1')).toString()).toBe('one');
    await files.remove('1');
    await files.remove('1');
    await expect(files.read('1')).rejects.toThrow('ENOENT');
    expect(await readdir(join(root.path, String(process.pid)))).toEqual([]);
  });

  it('begin empty: what strangers and earlier processes left is removed', async () => {
    await using root = await folder();
    for (const name of [NOBODY, String(process.pid), 'stray', String(process.ppid)]) {
      await mkdir(join(root.path, name));
      await writeFile(join(root.path, name, '1.part'), 'x');
    }
    const files = await openSegmentFiles(root.path);
    const left = (await readdir(root.path)).toSorted();
    expect(left).toEqual([String(process.pid), String(process.ppid)].toSorted());
    await expect(files.read('1.part')).rejects.toThrow('ENOENT');
    await files.close();
    expect(await readdir(root.path)).toEqual([String(process.ppid)]);
  });
});
