export { isForeground } from '../screen/foreground.ts'
export { Attachment } from './attachment.ts'
