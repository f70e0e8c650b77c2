import { createHash } from 'node:crypto'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { LocaldError, messageOf } from '../../../kernel/errors.ts'
import { listImages } from '../calls/inventory.ts'
import { runEngine } from '../calls/run-engine.ts'
import { label } from '../names.ts'
import type { Engine } from '../provides.ts'

/** The program in the image; the socket's folder is mounted beside it. */
const program = 'locald-tunnel'
/** Where the socket's folder is in the container. */
export const mountPoint = '/locald'
/** Label of all images of tunnels. */
const kindLabel = `${label.kind}=tunnel`
const repository = 'localhost/locald-tunnel'

/** The forwarder's image: its reference, which has the program's hash, and the archive of its files. */
export interface TunnelImage {
  readonly reference: string
  readonly tar: Buffer
}

/** Reads the program of `native` and makes the image of it. Rejects with ENGINE_FAILED where it was not built. */
export async function readTunnelImage(native: string): Promise<TunnelImage> {
  try {
    return tunnelImage(await readFile(join(native, program)))
  } catch (error) {
    throw new LocaldError('ENGINE_FAILED', `no host.docker.internal for containers: ${messageOf(error)}`, {
      hint: 'Install a C compiler and a static libc (`apt install gcc libc6-dev`), then build locald again.',
    })
  }
}

/** Makes the image of a program: the same for the same bytes. */
function tunnelImage(bytes: Buffer): TunnelImage {
  const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 12)
  const padding = Buffer.alloc((blockSize - (bytes.length % blockSize)) % blockSize)
  const folder = header(`${mountPoint.slice(1)}/`, 0o755, 0, '5')
  const tar = Buffer.concat([
    folder,
    header(program, 0o755, bytes.length, '0'),
    bytes,
    padding,
    Buffer.alloc(2 * blockSize),
  ])
  return { reference: `${repository}:${hash}`, tar }
}

/** Gives the engine the image; `folder` is for a temporary file. Images of other versions that are not used are removed. */
export async function importImage(
  engine: Engine,
  { reference, tar }: TunnelImage,
  folder: string,
  signal: AbortSignal,
): Promise<void> {
  const file = join(folder, `image-${process.pid}.tar`)
  await writeFile(file, tar, { mode: 0o600 })
  try {
    const changes = [`ENTRYPOINT ["/${program}"]`, `LABEL ${kindLabel}`].flatMap(change => ['--change', change])
    await runEngine(engine, ['import', ...changes, file, reference], { signal })
  } finally {
    await rm(file, { force: true })
  }
  await removeOthers(engine, reference, signal)
}

/** Returns whether the engine has the image. */
export async function hasImage(engine: Engine, { reference }: TunnelImage, signal: AbortSignal): Promise<boolean> {
  return (await runEngine(engine, ['images', '-q', reference], { signal })).trim() !== ''
}

async function removeOthers(engine: Engine, reference: string, signal: AbortSignal): Promise<void> {
  try {
    const all = await listImages(engine, kindLabel, signal)
    const others = all.filter(it => it.startsWith(`${repository}:`) && it !== reference)
    // Without force: one in use stays.
    for (const other of others) await runEngine(engine, ['rmi', other], { signal })
  } catch {
    // It is still in use, or another daemon has removed it.
  }
}

const blockSize = 512

/** Returns the header of a tar entry (POSIX.1-2001, pax(1), "ustar interchange format"), without times and owners. */
function header(name: string, mode: number, size: number, type: '0' | '5'): Buffer {
  const block = Buffer.alloc(blockSize)
  const octal = (value: number, at: number, length: number): unknown =>
    block.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at, 'latin1')
  block.write(name, 0, 'latin1')
  octal(mode, 100, 8)
  for (const [at, length] of [
    [108, 8],
    [116, 8],
    [136, 12],
  ] as const)
    octal(0, at, length)
  octal(size, 124, 12)
  block.write(type, 156, 'latin1')
  block.write('ustar\x0000', 257, 'latin1')
  // The checksum counts its own field as spaces.
  block.fill(' ', 148, 156)
  block.write(
    `${block
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, '0')}\0 `,
    148,
    'latin1',
  )
  return block
}
