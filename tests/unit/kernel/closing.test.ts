import { expect, it } from 'vitest';
import { closeAll } from '#kernel/closing';

it('every step runs, in order, also when one fails', async () => {
  const ran: string[] = [];
  const closing = closeAll([
    () => ran.push('first'),
    () => Promise.reject(new Error('second')),
    () => {
      throw new Error('third');
    },
    async () => ran.push('fourth'),
  ]);
  await expect(closing).rejects.toMatchObject({
    errors: [{ message: 'second' }, { message: 'third' }],
  });
  expect(ran).toEqual(['first', 'fourth']);
});

it('nothing is thrown when nothing failed', async () => {
  await expect(closeAll([])).resolves.toBeUndefined();
});
