export { isForeground } from '../screen/foreground.ts'
export { Monitor } from './monitor.ts'
