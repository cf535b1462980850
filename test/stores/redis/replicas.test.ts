import t from 'tap'
import { Replicas } from '../../../lib/stores/redis/replicas.ts'
import { FakeTime } from '../../helpers/fake-time.ts'

/** A client of ioredis whose own connections answer as told. */
class FakeClient {
  readonly links: FakeClient[] = []
  readonly sent: unknown[] = []
  readonly options = {}
  status = 'ready'
  /** What `WAIT` answers. */
  answer: () => Promise<number> = async () => 1

  duplicate(): FakeClient {
    const link = new FakeClient()
    link.answer = this.answer
    this.links.push(link)
    return link
  }

  on(): void {}

  async eval(_script: string, _count: number, ...values: string[]): Promise<unknown> {
    this.sent.push(values)
    return []
  }

  async wait(...values: number[]): Promise<number> {
    this.sent.push(values)
    return this.answer()
  }

  disconnect(): void {
    this.status = 'end'
  }
}

const oneNode = (): string => ''

t.test('a client that cannot wait is refused', async (t) => {
  t.throws(() => new Replicas({}, 1, oneNode), { code: 'ERR_SESSION_OPTION_INVALID' })
})

t.test('each end is written once more, then all are waited for at once', async (t) => {
  const client = new FakeClient()
  const replicas = new Replicas(client, 1, oneNode)
  await replicas.confirm(['a', 'b'], '"ada"', { deadline: performance.now() + 60_000.5 })
  const [link] = client.links as [FakeClient]
  const [first, second, [count, milliseconds] = []] = link.sent as [string[], string[], number[]]
  t.same([first, second, count], [['a', '"ada"'], ['b', '"ada"'], 1])
  t.ok(Number.isInteger(milliseconds) && (milliseconds as number) <= 60_000 && (milliseconds as number) > 50_000)
  await replicas.confirm(['c'], '', undefined)
  t.same(client.links[0]?.sent.at(-1), [1, 2000], 'two seconds where there is no deadline')
  await replicas.confirm(['c'], '', { deadline: Number.POSITIVE_INFINITY })
  t.same(client.links[0]?.sent.at(-1), [1, 2000])
  await replicas.confirm(['c'], '', { deadline: 0 })
  t.same(client.links[0]?.sent.at(-1), [1, 1], 'never without an end')
  t.equal(client.links.length, 1)
})

t.test('too few replicas are an error that says what holds', async (t) => {
  const client = new FakeClient()
  client.answer = async () => 1
  await t.rejects(new Replicas(client, 2, oneNode).confirm(['a'], '', undefined), {
    message:
      'The session has ended, but 1 of 2 replicas know it in time (waitForReplicas). A failover may bring it back.'
  })
})

t.test('each node has its own connection', async (t) => {
  const masters = ['a', 'b'].map((host) => Object.assign(new FakeClient(), { options: { host, port: 1 } }))
  const cluster = { isCluster: true, slots: [], options: {}, nodes: () => masters }
  await new Replicas(cluster, 1, (name) => `${name[0]}:1`).confirm(['a1', 'b1', 'a2'], '', undefined)
  t.same(
    masters.map(({ links }) => links.map(({ sent }) => sent)),
    [
      [
        [
          ['a1', ''],
          ['a2', ''],
          [1, 2000]
        ]
      ],
      [
        [
          ['b1', ''],
          [1, 2000]
        ]
      ]
    ]
  )
})

t.test('a connection that has broken is replaced, once', async (t) => {
  const client = new FakeClient()
  const replicas = new Replicas(client, 1, oneNode)
  const confirm = (): Promise<void> => replicas.confirm(['a'], '', undefined)
  await Promise.all([confirm(), confirm()])
  t.equal(client.links.length, 1)
  client.links[0]?.disconnect()
  await Promise.all([confirm(), confirm(), confirm()])
  t.equal(client.links.length, 2)
  await replicas.close()
  t.equal(client.links[1]?.status, 'end')
  await replicas.close()
})

t.test('a connection that cannot be opened is tried again', async (t) => {
  const client = new FakeClient()
  let isDown = true
  const { duplicate } = FakeClient.prototype
  client.duplicate = () => {
    if (isDown) throw new Error('no connection')
    return duplicate.call(client)
  }
  const replicas = new Replicas(client, 1, oneNode)
  await t.rejects(replicas.confirm(['a'], '', undefined), { message: 'no connection' })
  await replicas.close()
  await t.rejects(replicas.confirm(['a'], '', undefined), { message: 'no connection' })
  isDown = false
  await replicas.confirm(['a'], '', undefined)
  t.equal(client.links.length, 1)
})

t.test('a connection that does not answer in time is given up', async (t) => {
  const time = new FakeTime(t)
  const client = new FakeClient()
  let fail: (error: Error) => void = () => {}
  client.answer = () =>
    new Promise((_resolve, reject) => {
      fail = reject
    })
  const replicas = new Replicas(client, 1, oneNode)
  const confirmed = replicas.confirm(['a'], '', undefined)
  await new Promise((resolve) => setImmediate(resolve))
  time.advance(2499)
  t.equal(client.links[0]?.status, 'ready')
  time.advance(1)
  t.equal(client.links[0]?.status, 'end')
  fail(new Error('Connection is closed.'))
  await t.rejects(confirmed, { message: 'Connection is closed.' })
})
