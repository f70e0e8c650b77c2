export { closest } from '../../kernel/system/suggest.ts'
