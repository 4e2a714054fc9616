import { describe, expect, it } from 'vitest';
import { remuxArgs } from '../../../services/adapters/ffmpeg/remux-args.ts';

describe('the arguments of a remux', () => {
  it('read one input and copy what is in it', () => {
    const args = remuxArgs([{ format: 'mp4' }]).join(' ');
    expect(args).toMatch(/-f mp4 -i pipe:0 -map 0:v:0\? -map 0:a\? -c copy -f mpegts .*pipe:1$/);
  });

  it('take pictures from one and sound from the other, at the time that it has', () => {
    const args = remuxArgs([{ format: 'mpegts' }, { format: 'aac', startsAtMs: 1234.5 }]).join(' ');
    expect(args).toMatch(/-f mpegts -i pipe:0 .*-itsoffset 1\.234500 -f aac -i pipe:3/);
    expect(args).toContain('-map 0:v:0? -map 1:a:0');
    expect(args).toContain('-copyts');
  });
});
