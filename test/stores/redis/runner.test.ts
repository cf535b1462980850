import t from 'tap'
import type { RedisCommands, Script } from '../../../lib/stores/redis/commands.ts'
import { TIME } from '../../../lib/stores/redis/lua.ts'
import { ScriptRunner } from '../../../lib/stores/redis/runner.ts'

const TOO_LATE = { message: 'The time for this change is over. Redis has not applied it.' }
const SCRIPT: Script = { source: 'return ARGV', sha: 'd1e5' }

/** A server with a clock of its own, which keeps each command and judges it as the scripts do. */
class FakeRedis implements RedisCommands {
  /** How far its clock is ahead of `performance.now()`. */
  ahead: number
  readonly asked: (readonly string[])[] = []
  times = 0
  /** Called before a command is judged. */
  before: () => unknown = () => {}

  constructor(ahead: number) {
    this.ahead = ahead
  }

  async run(script: Script, name: string, values: readonly string[]): Promise<string[]> {
    await this.before()
    const time = performance.now() + this.ahead
    if (script === TIME) {
      this.times++
      return [String(time)]
    }
    this.asked.push([name, ...values])
    const limit = values[4]
    return [String(time), limit !== '' && time > Number(limit) ? 'late' : 'done']
  }

  async memoryInfo(): Promise<never> {
    throw new Error('A script does not ask for this.')
  }

  async getAll(): Promise<never> {
    throw new Error('not asked')
  }

  nodeOf(name: string): string {
    return name.startsWith('other') ? 'other' : ''
  }
}

function callOf(milliseconds: number): { deadline: number } {
  return { deadline: performance.now() + milliseconds }
}

t.test('a command carries its mark, the lowest open number and its limit', async (t) => {
  const redis = new FakeRedis(1e12)
  const runner = new ScriptRunner(redis, () => 7)
  const call = callOf(5000)
  t.same(await runner.write(SCRIPT, 'name', ['a', 'b']), ['done'])
  t.equal(redis.times, 0, 'where there is no deadline nobody asks for the time')
  await Promise.all([runner.write(SCRIPT, 'name', [], call), runner.write(SCRIPT, 'name', [], call)])
  const [[, , name] = []] = redis.asked
  t.match(name, /^[\w-]{8}$/)
  t.same(redis.asked[0], ['name', '7', name, '1', '1', '', 'a', 'b'])
  t.same(
    redis.asked.slice(1).map((values) => values.slice(0, 5)),
    [
      ['name', '7', name, '2', '2'],
      ['name', '7', name, '3', '2']
    ]
  )
  const limit = Number(redis.asked[1]?.[5])
  t.ok(limit <= call.deadline + 1e12 && limit > call.deadline + 1e12 - 1000, 'by the clock of the server')
})

t.test('the first command that has a deadline asks for the time of the server, the next ones know it', async (t) => {
  for (const ahead of [-1e6, 0, 1e12]) {
    const redis = new FakeRedis(ahead)
    const runner = new ScriptRunner(redis, () => 7)
    for (let count = 0; count < 3; count++) t.same(await runner.write(SCRIPT, 'name', [], callOf(5000)), ['done'])
    t.equal(redis.times, 1)
    t.equal(redis.asked.length, 3)
  }
})

t.test('a deadline that has passed is not sent', async (t) => {
  const redis = new FakeRedis(0)
  const runner = new ScriptRunner(redis, () => 7)
  await t.rejects(runner.write(SCRIPT, 'name', [], callOf(-1)), TOO_LATE)
  const call = callOf(60_000)
  redis.before = () => {
    call.deadline = 0
  }
  await t.rejects(new ScriptRunner(redis, () => 7).write(SCRIPT, 'name', [], call), TOO_LATE, 'asking took too long')
  t.same(redis.asked, [])
})

t.test('time that does not count has no limit', async (t) => {
  const redis = new FakeRedis(0)
  await new ScriptRunner(redis, () => 7).write(SCRIPT, 'name', [], { deadline: Number.POSITIVE_INFINITY })
  t.equal(redis.asked[0]?.[5], '')
})

t.test('a clock that was set ahead refuses one attempt, not the command', async (t) => {
  const redis = new FakeRedis(1000)
  const runner = new ScriptRunner(redis, () => 7)
  await runner.write(SCRIPT, 'name', [], callOf(5000))
  redis.ahead += 3_600_000
  t.same(await runner.write(SCRIPT, 'name', [], callOf(5000)), ['done'])
  t.equal(redis.asked.length, 3)
  t.equal(redis.asked[1]?.[3], redis.asked[2]?.[3], 'with the same mark')
  t.same(await runner.write(SCRIPT, 'name', [], callOf(5000)), ['done'])
  t.equal(redis.asked.length, 4, 'and then it is known')
  redis.ahead -= 7_200_000
  for (let count = 0; count < 2; count++) await runner.write(SCRIPT, 'name', [], callOf(5000))
  t.ok(Number(redis.asked.at(-1)?.[5]) < performance.now() + redis.ahead + 6000, 'so is one that was set back')
})

t.test('what the server finds late and is late fails', async (t) => {
  const redis = new FakeRedis(0)
  const runner = new ScriptRunner(redis, () => 7)
  await runner.write(SCRIPT, 'name', [], callOf(5000))
  const call = callOf(60_000)
  redis.before = () => {
    redis.ahead += 120_000
    call.deadline = 0
  }
  await t.rejects(runner.write(SCRIPT, 'name', [], call), TOO_LATE)
  t.equal(redis.asked.length, 2, 'without a second attempt')
  redis.before = () => {
    redis.ahead += 120_000
  }
  await t.rejects(runner.write(SCRIPT, 'name', [], callOf(60_000)), TOO_LATE)
  t.equal(redis.asked.length, 4, 'nor is there a third')
})

t.test('the number of a command that failed stays open', async (t) => {
  const redis = new FakeRedis(0)
  const runner = new ScriptRunner(redis, () => 7)
  redis.before = () => {
    throw new Error('no connection')
  }
  await t.rejects(runner.write(SCRIPT, 'name', []), { message: 'no connection' })
  redis.before = () => {}
  await runner.write(SCRIPT, 'name', [])
  await runner.write(SCRIPT, 'another name', [])
  t.same(redis.asked[0]?.slice(3, 5), ['2', '1'])
  t.same(redis.asked[1]?.slice(3, 5), ['3', '3'], 'for its key alone')
  const other = new ScriptRunner(redis, () => 7)
  await t.rejects(other.write(SCRIPT, 'name', [], callOf(-1)), TOO_LATE)
  await other.write(SCRIPT, 'name', [])
  t.same(redis.asked[2]?.slice(3, 5), ['2', '2'], 'that of a late one does not')
})

t.test('a script that reads gets the time of the application, and no mark', async (t) => {
  const redis = new FakeRedis(0)
  await new ScriptRunner(redis, () => 7.9).read(SCRIPT, 'name', 'a')
  t.same(redis.asked, [['name', '7', 'a']])
})

t.test('each node of a cluster has a clock of its own', async (t) => {
  const redis = new FakeRedis(0)
  const runner = new ScriptRunner(redis, () => 7)
  for (let count = 0; count < 3; count++) {
    for (const [name, ahead] of [
      ['name', 3_600_000],
      ['other', -3_600_000]
    ] as const) {
      redis.ahead = ahead
      await runner.write(SCRIPT, name, [], callOf(5000))
      t.ok(Number(redis.asked.at(-1)?.[5]) < performance.now() + ahead + 5001, name)
    }
  }
  t.equal(redis.times, 2)
  t.equal(redis.asked.length, 6, 'none is found late')
})
