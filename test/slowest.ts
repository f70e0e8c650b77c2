/** The test files that take longest, with the longest first: the runner starts them before all others. */
export const slowest: readonly string[] = [
  'test/e2e/boot.test.ts',
  'test/e2e/postgres-branch.test.ts',
  'test/e2e/container-life.test.ts',
  'test/plugins/container-lima/vm.test.ts',
  'test/corpus/corpus.test.ts',
  'test/e2e/postgres.test.ts',
  'test/e2e/compose.test.ts',
  'test/e2e/diagnosis.test.ts',
  'test/bench/bench.test.ts',
  'test/scripts/build-native.test.ts',
  'test/plugins/proxy/daemon.test.ts',
  'test/e2e/life.test.ts',
  'test/e2e/shop.test.ts',
]
