/** The test files that take longest, with the longest first: the runner starts them before all others. */
export const slowest: readonly string[] = [
  'test/e2e/boot.test.ts',
  'test/e2e/postgres-branch.test.ts',
  'test/e2e/container-life.test.ts',
  'test/plugins/container-lima/vm.test.ts',
]
