import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { Listening } from '../../lib/util/listening.ts'

/** A source whose answers the test decides, and what a listener tells. */
function create() {
  const told: string[] = []
  const sources: { tell: (message: string) => void; lose: () => void }[] = []
  const next = { answer: (): unknown => () => void told.push('stopped') }
  const listening = new Listening<string>(
    async (tell, lose) => {
      sources.push({ tell, lose })
      return next.answer() as () => void
    },
    {
      onMessage: (message) => told.push(message),
      onBegin: () => told.push('begun'),
      onLost: () => told.push('lost'),
      onFailure: (error) => told.push(`failed: ${(error as Error).message}`)
    }
  )
  return { told, sources, next, listening }
}

t.test('it hears until it is closed', async (t) => {
  const { told, sources, listening } = create()
  listening.start()
  listening.start()
  t.equal(listening.isOn, false, 'not yet')
  await turn()
  t.equal(listening.isOn, true)
  listening.start()
  sources[0]?.tell('hello')
  await listening.close()
  t.equal(listening.isOn, false)
  sources[0]?.lose()
  listening.start()
  t.same(told, ['begun', 'hello', 'stopped'])
  t.equal(sources.length, 1)
})

t.test('it says that it has lost the source, and can start again', async (t) => {
  const { told, sources, listening } = create()
  listening.start()
  await turn()
  sources[0]?.lose()
  sources[0]?.lose()
  t.equal(listening.isOn, false)
  listening.start()
  await turn()
  t.same(told, ['begun', 'lost', 'begun'])
})

t.test('a source that has gone silent can be given up', async (t) => {
  const { told, sources, next, listening } = create()
  listening.abandon()
  listening.start()
  listening.abandon()
  await turn()
  listening.abandon()
  t.equal(listening.isOn, false)
  sources[0]?.lose()
  next.answer = () => () => Promise.reject(new Error('cannot be stopped'))
  listening.start()
  await turn()
  listening.abandon()
  await turn()
  t.same(told, ['begun', 'lost', 'stopped', 'begun', 'lost'])
})

t.test('it tells of failures once, until it could begin', async (t) => {
  const { told, next, sources, listening } = create()
  const { answer } = next
  const fail = (): never => {
    throw new Error('down')
  }
  const tries: [() => unknown, string[]][] = [
    [fail, ['failed: down']],
    [fail, []],
    [answer, ['begun']]
  ]
  for (const [make, said] of tries) {
    next.answer = make
    listening.start()
    await turn()
    t.same(told.splice(0), said)
  }
  sources.at(-1)?.lose()
  next.answer = fail
  listening.start()
  await turn()
  t.same(told, ['lost', 'failed: down'])
})

t.test('one that begins after it was closed, or lost its source meanwhile, stops', async (t) => {
  for (const end of ['close', 'lose']) {
    const { told, sources, listening } = create()
    listening.start()
    if (end === 'close') await listening.close()
    else sources[0]?.lose()
    await turn()
    t.same(told, ['stopped'])
    t.equal(listening.isOn, false)
  }
})

t.test('one that fails after it was closed says nothing', async (t) => {
  const { told, next, listening } = create()
  next.answer = () => {
    throw new Error('down')
  }
  listening.start()
  await listening.close()
  await turn()
  t.same(told, [])
})
