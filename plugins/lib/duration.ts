export { formatMeasured, longestTimerMs, parseDuration } from '../../kernel/lib/duration.ts'
