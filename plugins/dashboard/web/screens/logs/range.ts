/** A part of a text: from, to. */
export type Range = readonly [number, number]

/** Most hits that are marked in one line. */
export const mostRanges = 100
