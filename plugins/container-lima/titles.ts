/** The checks of `locald doctor`, by id. */
export const titles = {
  lima: 'Lima',
  'lima-machine': 'Lima VM support',
  'lima-folder': 'Lima folder',
  'lima-vm': 'Lima VM',
} as const

export type CheckId = keyof typeof titles

export function isCheckId(id: string): id is CheckId {
  return Object.hasOwn(titles, id)
}
