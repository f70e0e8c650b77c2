export { Monitor } from './monitor.ts'
export { isForeground } from './terminal/foreground.ts'
