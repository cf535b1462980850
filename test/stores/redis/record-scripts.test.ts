import t from 'tap'
import type { Script } from '../../../lib/stores/redis/commands.ts'
import { CONFIRM, CREATE, END, GO_LIVE, IS_THERE, WRITE } from '../../../lib/stores/redis/record-scripts.ts'
import { when } from '../../helpers/fake-time.ts'
import type { RedisServers } from '../../helpers/redis.ts'
import { openRedis, startRedis } from '../../helpers/redis.ts'

const NOW = 1_763_640_000
const LATER = NOW + 3600
const FIELDS = ['c', NOW, 'v', 0, 'o', '"ada"', 'e', LATER, '.a', '0'] as const

const redis = await openRedis(t, 'scripts in Redis')
if (redis !== undefined) {
  let commands = 0

  /** A command of a writer, that can be sent several times. */
  const command = (
    script: Script,
    key: string,
    values: readonly (string | number)[],
    { writer = 'w', lowest = 0, limit = '' as number | '' } = {}
  ): (() => Promise<string[]>) => {
    const head = [NOW * 1000, writer, ++commands, lowest, limit]
    return async () => ((await redis.eval(script.source, 1, key, ...head, ...values)) as string[]).slice(1)
  }
  const create = (
    key: string,
    options = {},
    pending: number | '' = '',
    fields: readonly (string | number)[] = FIELDS
  ) => command(CREATE, key, [LATER, pending, ...fields], options)
  const commit = (key: string, value: string, options = {}, version: number | '' = '') =>
    command(WRITE, key, [LATER, 0, version, '1', 0, 'e', LATER, '.a', value], options)
  const touch = (key: string, until: number) => command(WRITE, key, [until, 0, '', '', 0, 'e', until])
  const finish = (key: string) => command(WRITE, key, [NOW - 1, 0, '', '1', 0, 'e', NOW - 1])
  const end = (key: string, owner = '') => command(END, key, [owner])
  const marksOf = async (key: string): Promise<string[]> =>
    (await redis.hmget(key, 'm', 'm2', 'm3', 'm4')).flatMap((marks) => marks?.split(' ') ?? [])

  t.test('a change that comes again counts once, and overwrites nothing', async (t) => {
    await create('once')()
    const [first, other] = [commit('once', '1', {}, 0), commit('once', '2', { writer: 'x' }, 1)]
    t.same([await first(), await other(), await first()], [['committed'], ['committed'], ['committed']])
    t.same(await redis.hmget('once', '.a', 'v'), ['2', '2'])
    const shortened = touch('once', NOW + 60)
    await shortened()
    await touch('once', LATER)()
    t.same(await shortened(), ['committed'])
    t.equal(await redis.hget('once', 'e'), String(LATER))
  })

  t.test('a change that is sent again after the end has the answer that it had', async (t) => {
    for (const how of [end, finish]) {
      await create('ended')()
      const change = commit('ended', '1')
      await change()
      const ending = how('ended')
      const answer = await ending()
      t.same(await ending(), answer)
      t.same(await change(), ['ended', '"ada"', String(NOW)], 'it was committed')
      t.same(await commit('ended', '2')(), ['gone'], 'a new one is not')
      t.same(await end('ended')(), [])
      t.equal(await redis.hexists('ended', 'e'), 0)
    }
  })

  t.test('an end that comes again tells what the first one ended', async (t) => {
    await create('owned')()
    t.same(await end('owned', '"bob"')(), [])
    const ending = end('owned', '"ada"')
    t.same(
      [await ending(), await ending()],
      [
        ['1', '"ada"', String(NOW)],
        ['1', '"ada"', String(NOW)]
      ]
    )
    await create('pending', {}, 60_000, [...FIELDS, 'n', '1'])()
    t.same(await end('pending')(), ['0', '"ada"', String(NOW)])
    await create('bare', {}, '', ['c', NOW, 'e', LATER])()
    t.same(await end('bare')(), ['1', '', String(NOW)])
    await create('back')()
    const gone = end('back')
    await gone()
    await create('back')()
    t.same(await gone(), [], 'what was created since does not end')
    t.equal(await redis.hexists('back', 'e'), 1)
  })

  t.test('a creation that comes again does not create what has ended', async (t) => {
    const creation = create('created')
    t.same([await creation(), await creation()], [['1'], ['1']])
    t.same(await create('created')(), ['0'])
    await end('created')()
    t.same(await creation(), ['1'], 'it was created')
    t.equal(await redis.hexists('created', 'e'), 0)
    t.same(await create('created', {}, '', ['c', NOW, 'e', LATER])(), ['1'], 'a new one is')
    const fields = Object.keys(await redis.hgetall('created')).filter((field) => !field.startsWith('m'))
    t.same(fields.sort(), ['c', 'e'], 'and nothing of the old one is left')
    t.same(await creation(), ['1'])
  })

  t.test('a record that waits for its index goes live once, unless it has ended', async (t) => {
    const waiting = [...FIELDS, 'n', '1']
    await create('waiting', {}, 60_000, waiting)()
    t.same(await command(IS_THERE, 'waiting', [])(), [])
    t.ok((await redis.pttl('waiting')) <= 60_000)
    const goLive = command(GO_LIVE, 'waiting', [])
    t.same([await goLive(), await goLive()], [['1'], ['1']])
    t.ok((await redis.pttl('waiting')) > 60_000)
    await end('waiting')()
    t.same(await goLive(), ['1'], 'it was live')
    t.equal(await redis.hexists('waiting', 'e'), 0)
    t.same(await command(GO_LIVE, 'never', [])(), ['0'])
  })

  t.test('a mark stays while the command may come again', async (t) => {
    const limit = Date.now() + 2000
    const kept = Math.ceil(limit / 1000 + 10)
    commands = 0
    await create('marks', { limit })()
    await commit('marks', '1', { limit, writer: 'x' })()
    await commit('marks', '2', { limit })()
    t.same(await marksOf('marks'), [`w:3:${kept}`, `x:2:${kept}`, `w:1:${kept}`])
    await commit('marks', '3', { limit, lowest: 3 })()
    t.same(await marksOf('marks'), [`w:4:${kept}`, `w:3:${kept}`, `x:2:${kept}`], 'w has the answer to 1')
    await redis.hdel('marks', 'm2')
    await redis.hset('marks', 'm', `w:4:${kept} w:3:1796057000 x:2:1000000000`)
    await commit('marks', '4', { limit, lowest: 3 })()
    t.same(
      (await marksOf('marks')).filter((mark) => mark.startsWith('x')),
      [],
      'the time of 2 has passed'
    )
    await end('marks')()
    const [last] = await marksOf('marks')
    t.match(last, /^w:6:\d+$/)
    const left = Number(last?.split(':')[2]) * 1000 - Date.now()
    t.ok(left > 55_000 && left <= 61_000, 'which is a minute if there is no limit')
    t.ok(Math.abs((await redis.pttl('marks')) - left) < 1000, 'the stub stays as long as the longest')
  })

  t.test('many marks are spread over fields, so that the record stays small', async (t) => {
    commands = 0
    await create('many')()
    for (let count = 2; count <= 12; count++) {
      await commit('many', '1', { writer: `writer${String(count).padStart(2, '0')}` })()
      const marks = await marksOf('many')
      t.same(
        marks.map((mark) => Number(mark.split(':')[1])),
        Array.from({ length: count }, (_, index) => count - index)
      )
      t.same((await redis.hmget('many', 'm2', 'm3', 'm4')).map(Boolean), [count > 2, count > 4, count > 6])
      if (count <= 8) t.not(await redis.object('ENCODING', 'many'), 'hashtable')
    }
    const late = commit('many', '1')
    for (const text of await redis.hmget('many', 'm2', 'm3', 'm4')) t.ok(text)
    await redis.hset(
      'many',
      'm',
      'w:9:1000000000',
      'm2',
      'w:8:1000000000',
      'm3',
      'w:7:1000000000',
      'm4',
      'w:6:1000000000'
    )
    await late()
    t.same(
      Object.keys(await redis.hgetall('many')).filter((field) => field.startsWith('m')),
      ['m'],
      'and fields go'
    )
  })

  t.test('nothing is applied after its time', async (t) => {
    const past = { limit: Date.now() - 1000 }
    t.same(await create('late', past)(), ['late'])
    t.equal(await redis.exists('late'), 0)
    await create('late', {}, 60_000, [...FIELDS, 'n', '1'])()
    t.same(await command(GO_LIVE, 'late', [], past)(), ['late'])
    await command(GO_LIVE, 'late', [])()
    const before = await redis.hgetall('late')
    t.same(await commit('late', '1', past)(), ['late'])
    t.same(await command(END, 'late', [''], past)(), ['late'])
    t.same(await redis.hgetall('late'), before)
    t.same(await commit('none', '1', past)(), ['late'], 'and that is not "gone"')
  })

  t.test('what was applied in time is no failure when it comes again after it', async (t) => {
    const soon = { limit: Date.now() + 60_000 }
    const creation = create('in-time', soon)
    const change = commit('in-time', '1', soon)
    t.same([await creation(), await change()], [['1'], ['committed']])
    // The clock of the server moves, which no test can wait for: the limit of the same commands moves instead.
    const past = Date.now() - 1000
    const again = async ({ source }: Script, number: number, values: readonly (string | number)[]): Promise<unknown> =>
      ((await redis.eval(source, 1, 'in-time', NOW * 1000, 'w', number, 0, past, ...values)) as string[])[1]
    t.equal(await again(CREATE, commands - 1, [LATER, '', ...FIELDS]), '1')
    t.equal(await again(WRITE, commands, [LATER, 0, '', '1', 0, 'e', LATER, '.a', '1']), 'committed')
  })

  t.test(
    'what somebody has written into a record stops no end, and is mended by a change where it can be',
    async (t) => {
      for (const [field, value] of [
        ['e', 'soon'],
        ['e', ''],
        ['m', 'x:1:99999999999999999999'],
        ['m4', 'no mark'],
        ['l', 'x']
      ] as const) {
        const spoil = async (key: string): Promise<void> => {
          await redis.del(key)
          await create(key, {}, '', ['l', LATER, ...FIELDS])()
          await redis.hset(key, field, value)
        }
        await spoil('spoilt')
        t.match(await end('spoilt')(), [field === 'e' ? '0' : '1', '"ada"', String(NOW)], field)
        t.equal(await redis.hexists('spoilt', 'e'), 0)
        await spoil('spoilt')
        const expected = { e: ['gone'], l: ['unlisted', '"ada"', String(NOW)] }[field as string] ?? ['committed']
        t.same((await commit('spoilt', '1')()).slice(0, expected.length), expected, field)
        t.same(await redis.eval(IS_THERE.source, 1, 'spoilt', NOW * 1000, '"ada"'), field === 'e' ? [] : ['1'])
      }
    }
  )

  t.test('something else under the key of a record is no record, and ends', async (t) => {
    const owned = (): Promise<unknown> => redis.eval(IS_THERE.source, 1, 'text', NOW * 1000, '"ada"')
    await redis.set('text', 'no hash')
    t.same(await commit('text', '1')(), ['gone'])
    t.same(await touch('text', LATER)(), ['gone'])
    t.same(await command(GO_LIVE, 'text', [])(), ['0'])
    t.same(await owned(), [])
    await t.rejects(create('text')(), /WRONGTYPE/)
    t.equal(await redis.get('text'), 'no hash')
    t.same(await end('text', '"ada"')(), [])
    t.equal(await redis.exists('text'), 0)
    await redis.set('text', 'no hash')
    await redis.eval(CONFIRM.source, 1, 'text', '')
    t.same(await redis.hkeys('text'), ['r'])
  })

  t.test('an end is confirmed by a write, whatever is there', async (t) => {
    const offset = async (): Promise<number> =>
      Number(/master_repl_offset:(\d+)/.exec(await redis.info('replication'))?.[1])
    const copy = (await startRedis('--replicaof', '127.0.0.1', String(redis.options.port))) as RedisServers
    t.teardown(() => copy.end())
    await when(async () => (await redis.info('replication')).includes('state=online'))
    const confirm = async (key: string, owner = ''): Promise<void> => {
      const before = await offset()
      t.same(await redis.eval(CONFIRM.source, 1, key, owner), [])
      t.ok((await offset()) > before, key)
      t.ok((await redis.ttl(key)) > 0)
    }
    await create('ended-once')()
    const ending = end('ended-once')
    await ending()
    const stub = await redis.hgetall('ended-once')
    for (let count = 0; count < 2; count++) await confirm('ended-once')
    t.same(await redis.hgetall('ended-once'), { ...stub, r: '1' })
    t.same(await ending(), ['1', '"ada"', String(NOW)], 'the mark is still there')
    await confirm('never-there')
    for (const owner of ['', '"ada"']) {
      await create(`back${owner}`)()
      await confirm(`back${owner}`, owner)
      t.same(await redis.hgetall(`back${owner}`), { r: '1' }, 'a failover had undone it')
    }
    await create('others')()
    await confirm('others', '"bob"')
    t.equal(await redis.hexists('others', 'e'), 1)
    t.same(await create('never-there')(), ['1'])
  })
}
