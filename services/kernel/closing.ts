/**
 * Runs every step in order, also when one fails; then throws what went wrong, if anything.
 * For `close()` methods: a step that fails must not keep the next one from running.
 */
export async function closeAll(steps: readonly (() => unknown)[]): Promise<void> {
  const errors: unknown[] = [];
  for (const step of steps) {
    try {
      await step();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw new AggregateError(errors, 'Closing left errors behind.');
}
