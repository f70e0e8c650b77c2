import type { Context } from '../context.ts'

/** `locald expect`: runs a command and checks what happens meanwhile. */
export async function expect(context: Context): Promise<number> {
  const { runExpect } = await import('../expect/index.ts')
  return await runExpect(context)
}
