import type { FastifyRequest } from 'fastify'
import t from 'tap'
import { createSaved, later, OCCASION, REQUEST, save } from './stored.ts'

t.test('an id that the store has already is never overwritten', async (t) => {
  const { transport, envelope, jsonOf } = await createSaved()
  const twin = { ...envelope, json: '{"theirs":1}' }
  await t.rejects(later(save(transport, twin, undefined, OCCASION)), { code: 'ERR_SESSION_CONFLICT' })
  t.equal(await jsonOf(envelope.id), envelope.json)
})

t.test('a description is made when a record is, from the request', async (t) => {
  const described: FastifyRequest[] = []
  const describe = (request: FastifyRequest): string => {
    described.push(request)
    return `{"ip":"${request.ip}"}`
  }
  const { store, transport, envelope, key } = await createSaved({ describe })
  t.equal((await store.inner.load(key))?.description, '{"ip":"::1"}')
  await save(transport, { ...envelope, json: '{}' }, envelope, OCCASION)
  t.same(described, [REQUEST], 'a change needs none')
  const another = { ...envelope, id: transport.newId() }
  await save(transport, another, undefined, {})
  t.same(described, [REQUEST], 'without a request there is nothing to describe')
  t.equal((await store.inner.load(transport.handleOf(another.id)))?.description, undefined)
})

t.test('an owner who has as many sessions as allowed gets no other one', async (t) => {
  const { transport, envelope } = await createSaved({ ownerLimit: { max: 1, evict: false } })
  const owned = { ...envelope, id: transport.newId(), ownerId: 'alice' }
  t.equal(await save(transport, owned, undefined, OCCASION), 'saved')
  await t.rejects(later(save(transport, { ...owned, id: transport.newId() }, undefined, OCCASION)), {
    code: 'ERR_SESSION_LIMIT',
    statusCode: 409
  })
})
