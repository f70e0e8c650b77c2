/* What reading compose files takes: loaded where there is one. */
export { addCompose, inferCompose } from './inference.ts'
export { translateCompose } from './translation.ts'
