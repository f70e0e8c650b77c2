import { shape } from '../../kernel/contract/shape.ts'

/** The project table of this plugin. */
export const tableName = 'worktrees'

/** Its keys. */
export const worktreesTable = shape({
  type: 'object',
  properties: {
    shared: {
      type: 'array',
      items: { type: 'string' },
      default: [],
      description: 'The services that other worktrees of the repository may use, such as ["db"].',
    },
  },
  additionalProperties: false,
})

/** Returns what a project shares, by its tables. The kernel has validated them by their shape. */
export function sharedIn(tables: Readonly<Record<string, unknown>>): readonly unknown[] {
  const table = tables[tableName]
  const hasList = typeof table === 'object' && table !== null && 'shared' in table
  return hasList && Array.isArray(table.shared) ? table.shared : []
}
