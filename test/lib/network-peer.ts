import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { PrivateMachine } from './private-machine.ts'
import { Running } from './running.ts'
import type { Test } from './sandbox.ts'

/** Another machine in the local network of a private one: a network namespace at the other end of a cable. */
export class NetworkPeer {
  readonly #holder: ChildProcess

  private constructor(holder: ChildProcess) {
    this.#holder = holder
  }

  /** Connects a peer to the interface `lan0` of the machine: .1 and .2 of 192.168.77.0/24 and fd77::/64. */
  static async connect(t: Test, machine: PrivateMachine): Promise<NetworkPeer> {
    const [program = '', ...words] = machine.words('/', { uid: 0, gid: 0 })
    const script = 'ip link set lo up; echo ready; exec sleep 600'
    const holder = spawn(program, [...words, 'unshare', '--net', 'sh', '-ec', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    t.teardown(async () => {
      if (holder.exitCode !== null) return
      holder.kill('SIGKILL')
      await once(holder, 'exit')
    })
    await Promise.race([once(holder.stdout, 'data'), once(holder, 'exit')])
    const peer = new NetworkPeer(holder)
    machine.sh(`
      ip link add lan0 type veth peer name peer0 netns ${holder.pid}
      ip addr add 192.168.77.1/24 dev lan0
      ip addr add fd77::1/64 dev lan0 nodad
      ip link set lan0 up`)
    const own = 'ip addr add 192.168.77.2/24 dev peer0; ip addr add fd77::2/64 dev peer0 nodad; ip link set peer0 up'
    const { code, stderr } = await peer.run(['sh', '-ec', `${own}; ip route add 224.0.0.0/4 dev peer0`]).done
    if (code !== 0) throw new Error(`the peer has no network: ${stderr}`)
    return peer
  }

  /** Starts a program there, as root. */
  run(argv: readonly string[], limitMs = 20_000): Running {
    const child = spawn('nsenter', ['--target', String(this.#holder.pid), '--net', ...argv])
    child.stdin.end()
    return new Running(child, limitMs)
  }
}
