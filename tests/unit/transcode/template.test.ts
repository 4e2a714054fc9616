import { describe, expect, it } from 'vitest';
import { renderTemplate } from '../../../services/transcode/template.ts';
import { wordsOf } from '../../../services/transcode/words.ts';

describe('a template cut into words', () => {
  it.each([
    ['-a b', ['-a', 'b']],
    ['  -a\t b \n', ['-a', 'b']],
    [`-vf "scale=1:2, fps=25"`, ['-vf', 'scale=1:2, fps=25']],
    [`-metadata title='a "b" c'`, ['-metadata', 'title=a "b" c']],
    [`-x ""`, ['-x', '']],
    [String.raw`-vf drawbox=x\ y`, ['-vf', 'drawbox=x y']],
    [
      String.raw`-force_key_frames expr:gte(t\,1)`,
      ['-force_key_frames', String.raw`expr:gte(t\,1)`],
    ],
    ['{output_args|-f mpegts pipe:1}', ['{output_args|-f mpegts pipe:1}']],
    ['"unclosed one', ['unclosed one']],
  ])('%s', (text, words) => {
    expect(wordsOf(text)).toEqual(words);
  });
});

describe('a template with its variables', () => {
  it.each([
    ['-b:v {rate}', { rate: '2M' }, ['-b:v', '2M']],
    ['-b:v {rate|1M}', {}, ['-b:v', '1M']],
    ['-b:v {rate}', {}, ['-b:v', '{rate}']],
    ['-vf scale={w}:{h|90}', { w: '160' }, ['-vf', 'scale=160:90']],
    ['{output_args|pipe:1}', { output_args: '-f hls index.m3u8' }, ['-f', 'hls', 'index.m3u8']],
    ['{output_args|}', {}, []],
    ['-x a{v}', { v: 'b c' }, ['-x', 'ab c']],
    ['-x {constructor|safe}', {}, ['-x', 'safe']],
    ['-x {a}', { a: '{b}', b: 'no' }, ['-x', '{b}']],
  ] as const)('%s', (template, variables, words) => {
    expect(renderTemplate(template, variables)).toEqual(words);
  });
});
