/**
 * For a test that times what it sees, or takes the whole machine, in a file whose others are tried
 * at once because they mostly wait.
 */
export const ALONE = { concurrent: false } as const;
