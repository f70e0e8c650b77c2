/** `locald expect`, a part of the bundle of its own. */
export { runExpect } from './expect.ts'
