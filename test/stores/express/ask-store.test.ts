import t from 'tap'
import { askStore } from '../../../lib/stores/express/ask-store.ts'

type Callback = (error?: unknown, value?: unknown) => void

function ask(get: (sid: string, callback: Callback) => unknown): Promise<unknown> {
  return askStore({ get }, 'get', 'sid')
}

t.test('the first answer counts, by callback or by promise', async (t) => {
  t.equal(await ask((_sid, callback) => callback(null, 1)), 1)
  t.equal(await ask((_sid, callback) => void setImmediate(callback, undefined, 1)), 1)
  t.equal(await ask(async (_sid, _callback) => 1), 1)
  t.equal(await ask(async (_sid, callback) => void setImmediate(callback, null, 1)), 1)
  t.equal(await askStore({ get: async () => undefined }, 'get', 'sid'), undefined)
  const twice = (_sid: string, callback: Callback): void => {
    callback(null, 1)
    callback(new Error('once more'))
  }
  t.equal(await ask(twice), 1)
})

t.test('the method is called on its store, with what it needs', async (t) => {
  const store = {
    name: 'store',
    get(sid: string, callback: Callback) {
      callback(null, `${this.name} ${sid}`)
    }
  }
  t.equal(await askStore(store, 'get', 'sid'), 'store sid')
})

t.test('a failure is an exception, however it comes', async (t) => {
  const failure = new Error('the database is on fire')
  await t.rejects(
    ask((_sid, callback) => callback(failure)),
    failure
  )
  await t.rejects(
    ask(async (_sid, _callback) => Promise.reject(failure)),
    failure
  )
  await t.rejects(
    ask((_sid, _callback) => {
      throw failure
    }),
    failure
  )
})

t.test('what the store cannot parse is damage, of which nothing is quoted', async (t) => {
  const error = (await ask((_sid, _callback) => JSON.parse('hunter2')).catch((error: unknown) => error)) as Error
  t.match(error, { code: 'ERR_SESSION_UNREADABLE' })
  t.notMatch(error.message, 'hunter2')
})
