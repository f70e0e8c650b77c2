import type { MulticastDNS } from 'multicast-dns'
import type { Log } from '../../../kernel/contract/plugin.ts'
import { isLocal, type LanAddress } from './addresses.ts'
import { type Announced, type Answer, answersTo, goodbyeOf, isConflict, type Question, recordsOf } from './records.ts'

/** RFC 6762 section 8.1: three queries, 250 ms apart, before a name is used; section 8.3: two announcements. */
const probes = 3
const probeMs = 250
const repeatMs = 1000
const port = 5353
/** TTL in answers to simple resolvers (RFC 6762 section 6.7), s. */
const legacyTtl = 10

/** Announces a share by multicast DNS in the network of one interface, beside other responders such as avahi. */
export class Announcement {
  readonly #mdns: MulticastDNS
  readonly #announced: Announced
  readonly #records: readonly Answer[]
  #isActive = false
  #repeat: NodeJS.Timeout | undefined

  private constructor(mdns: MulticastDNS, announced: Announced) {
    this.#mdns = mdns
    this.#announced = announced
    this.#records = recordsOf(announced)
  }

  /**
   * Claims the name and announces it. Undefined: another machine has it. Rejects where the port of multicast DNS cannot
   * be used. @param v4 the interface's address by which packets are sent
   */
  static async begin(announced: Announced, v4: LanAddress, log: Log): Promise<Announcement | undefined> {
    const { default: create } = await import('multicast-dns')
    const mdns = create({ interface: v4.address, bind: '0.0.0.0' })
    mdns.on('warning', error => log.info(`multicast DNS on ${v4.network}: ${error.message}`))
    const announcement = new Announcement(mdns, announced)
    try {
      await new Promise<void>((resolve, reject) => mdns.once('ready', resolve).once('error', reject))
      mdns.on('error', error => log.warn(`multicast DNS on ${v4.network}: ${error.message}`))
      if (await announcement.#probe()) return announcement.#start()
    } catch (error) {
      mdns.destroy()
      throw error
    }
    mdns.destroy()
    return undefined
  }

  /** Reports that the name is not used any more. */
  async stop(): Promise<void> {
    this.#isActive = false
    clearTimeout(this.#repeat)
    await new Promise<void>(resolve => this.#mdns.respond([...goodbyeOf(this.#records)], () => resolve()))
    await new Promise<void>(resolve => this.#mdns.destroy(resolve))
  }

  async #probe(): Promise<boolean> {
    const name = `${this.#announced.name}.local`
    let isFree = true
    const onResponse = ({ answers }: { answers: Answer[] }): void => {
      if (isConflict(answers, this.#announced)) isFree = false
    }
    this.#mdns.on('response', onResponse)
    for (let i = 0; i < probes && isFree; i++) {
      this.#mdns.query({
        questions: [
          { name, type: 'A' },
          { name, type: 'AAAA' },
        ],
      })
      await new Promise(resolve => setTimeout(resolve, probeMs))
    }
    this.#mdns.off('response', onResponse)
    return isFree
  }

  #start(): this {
    this.#isActive = true
    this.#mdns.on('query', ({ id = 0, questions = [] }, { address, port: from }) => {
      const answers = answersTo(questions, this.#records)
      // RFC 6762 section 11: who is not in the network gets no answer.
      if (!this.#isActive || !isLocal(address) || answers.length === 0) return
      if (from === port) this.#mdns.respond({ answers: [...answers] })
      else this.#respondTo({ address, port: from }, id, questions, answers)
    })
    this.#announce()
    this.#repeat = setTimeout(() => this.#announce(), repeatMs).unref()
    return this
  }

  /** Answers a resolver that is none of multicast DNS as unicast DNS does (RFC 6762 section 6.7). */
  #respondTo(
    to: { readonly address: string; readonly port: number },
    id: number,
    questions: Question[],
    answers: readonly Answer[],
  ): void {
    const plain = answers.map(answer => ({ ...answer, flush: false, ttl: legacyTtl }))
    this.#mdns.respond({ id, questions, answers: plain }, to)
  }

  #announce(): void {
    this.#mdns.respond([...this.#records])
  }
}
