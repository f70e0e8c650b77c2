/** What the daemon is told it runs on: every end-to-end test runs once as each. */
export const platforms = [
  { as: 'as linux', platform: undefined },
  { as: 'as darwin', platform: 'darwin' },
] as const
