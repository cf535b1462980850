import { setTimeout as pause } from 'node:timers/promises'
import type { Random } from './random.ts'
import type { Slot, StoreName, System } from './system.ts'

export const FAULTS = ['kill', 'freeze', 'stall', 'skew', 'reset', 'lost-answer', 'delay', 'half-close'] as const
export type FaultName = (typeof FAULTS)[number]

interface Scene {
  readonly system: System
  readonly random: Random
  /** In milliseconds. */
  readonly storeTimeout: number
}

/** Breaks something, and mends it before the promise resolves. */
type Fault = (scene: Scene) => Promise<void>

/** Half of the faults hit one way to the server, half of them all: another process goes on meanwhile, or nobody does. */
const ONE = 0.5
const SERVER = 0.5
/** In milliseconds. Two clocks must not differ by more than a minute. */
const LONGEST_SKEW = 20_000

const INJECT: Readonly<Record<FaultName, Fault>> = {
  async kill(scene) {
    const { system, random } = scene
    const server = random.chance(SERVER) ? system.server : undefined
    const broken = server ?? random.pick(system.slots)
    await broken.kill()
    await pause(random.between(0, scene.storeTimeout))
    await broken.start()
  },

  async freeze(scene) {
    const { system, random, storeTimeout } = scene
    const lasting = pause(random.between(storeTimeout / 4, 2.5 * storeTimeout))
    const server = random.chance(SERVER) ? system.server : undefined
    if (server === undefined) return random.pick(system.workers).freeze(lasting)
    server.freeze()
    await lasting
    server.thaw()
  },

  async stall({ system, random, storeTimeout }) {
    await random
      .pick(system.workers)
      .tell({ kind: 'stall', milliseconds: random.between(storeTimeout / 4, 2 * storeTimeout) })
  },

  async skew({ system, random }) {
    await random.pick(system.workers).tell({ kind: 'skew', milliseconds: random.between(-LONGEST_SKEW, LONGEST_SKEW) })
  },

  async reset(scene) {
    const slots = someOf(scene)
    for (let times = scene.random.between(1, 4); times > 0; times--) {
      for (const { link } of slots) link?.reset()
      await pause(scene.random.between(0, 100))
    }
  },

  async 'lost-answer'(scene) {
    const slots = someOf(scene)
    for (const { link } of slots) link?.loseAnswers()
    await pause(scene.random.between(50, scene.storeTimeout))
    for (const { link } of slots) link?.heal()
  },

  async delay(scene) {
    const slots = someOf(scene)
    const milliseconds = scene.random.between(10, 2 * scene.storeTimeout)
    for (const { link } of slots) link?.delay(milliseconds)
    await pause(scene.random.between(scene.storeTimeout / 2, 2 * scene.storeTimeout))
    for (const { link } of slots) link?.heal()
    // What was held back arrives.
    await pause(milliseconds)
  },

  async 'half-close'(scene) {
    const slots = someOf(scene)
    const side = scene.random.pick(['client', 'server'] as const)
    for (const { link } of slots) link?.halfClose(side)
    await pause(scene.random.between(50, 2 * scene.storeTimeout))
    for (const { link } of slots) link?.heal()
  }
}

/** Whether a fault breaks connections. It can happen while a process is broken, too. */
export function isOfNetwork(fault: FaultName): boolean {
  return ['reset', 'lost-answer', 'delay', 'half-close'].includes(fault)
}

/** Injects one of the faults. */
export function inject(name: FaultName, scene: Scene): Promise<void> {
  return INJECT[name](scene)
}

/** Whether a fault can happen to a store: one without a server has no network, and what is in a process ends with it. */
export function applies(fault: FaultName, store: StoreName): boolean {
  const isRemote = store === 'redis' || store === 'postgres' || store === 'mysql'
  return isOfNetwork(fault) ? isRemote : fault !== 'kill' || store !== 'memory'
}

function someOf({ system, random }: Scene): readonly Slot[] {
  return random.chance(ONE) ? [random.pick(system.slots)] : system.slots
}
