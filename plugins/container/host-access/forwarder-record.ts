import { createHash } from 'node:crypto'
import { lstatSync } from 'node:fs'
import { join } from 'node:path'
import { readJson, writeAtomic } from '../../lib/files.ts'
import { textOf } from '../../lib/json.ts'
import type { AccessRequest } from './contract.ts'
import type { TunnelImage } from './image.ts'

/** The forwarder that was started last, for the next daemon. */
export interface ForwarderRecord {
  readonly id: string
  readonly address: string | undefined
}

/** Reads the record in a socket's folder; undefined when there is none. */
export async function readRecord(folder: string): Promise<ForwarderRecord | undefined> {
  const value = await readJson(pathIn(folder))
  const id = textOf(value, 'id')
  return id === undefined ? undefined : { id, address: textOf(value, 'address') }
}

export function writeRecord(folder: string, record: ForwarderRecord): void {
  writeAtomic(pathIn(folder), JSON.stringify(record), { durable: false })
}

/**
 * Returns the id of a forwarder, by all that it is started with and by the very folder that it has mounted: one of a
 * folder that was removed does not see what is at its path now.
 */
export function forwarderId({ name, network }: AccessRequest, image: TunnelImage, folder: string): string {
  const { dev, ino } = lstatSync(folder)
  const parts = [image.reference, name, network, folder, String(dev), String(ino)]
  return createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 16)
}

function pathIn(folder: string): string {
  return join(folder, 'forwarder.json')
}
