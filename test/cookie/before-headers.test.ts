import type { OutgoingHttpHeaders, RequestListener, ServerResponse } from 'node:http'
import { createServer, get } from 'node:http'
import type { ClientHttp2Session, IncomingHttpHeaders } from 'node:http2'
import { connect, createServer as createHttp2Server } from 'node:http2'
import type { AddressInfo, Server } from 'node:net'
import fastify from 'fastify'
import t from 'tap'
import { beforeHeaders } from '../../lib/cookie/before-headers.ts'

interface Received {
  readonly status: number | undefined
  readonly headers: OutgoingHttpHeaders
}

/** Ways to get the headers of what a listener replies. */
const PROTOCOLS: Readonly<Record<string, (listener: RequestListener) => Promise<Received>>> = {
  'HTTP/1': async (listener) => {
    const server = createServer(listener)
    const port = await portOf(server)
    return new Promise((resolve, reject) => {
      get({ port, host: '127.0.0.1', agent: false }, (response) => {
        resolve({ status: response.statusCode, headers: response.resume().headers })
        server.close()
      }).on('error', reject)
    })
  },
  'HTTP/2': async (listener) => {
    const server = createHttp2Server(listener as unknown as Parameters<typeof createHttp2Server>[0])
    const client: ClientHttp2Session = connect(`http://127.0.0.1:${await portOf(server)}`)
    return new Promise((resolve, reject) => {
      const stream = client.request({ ':path': '/' }).on('error', reject)
      stream.on('response', (headers: IncomingHttpHeaders) => {
        resolve({ status: Number(headers[':status']), headers: headers as OutgoingHttpHeaders })
        client.close()
        server.close()
      })
      stream.resume()
    })
  },
  'inject()': async (listener) => {
    const app = fastify()
    app.get('/', (request, reply) => {
      reply.hijack()
      listener(request.raw, reply.raw)
    })
    const { statusCode: status, headers } = await app.inject('/')
    return { status, headers }
  }
}

async function portOf(server: Pick<Server, 'listen' | 'address'>): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

const ENDS: Readonly<Record<string, (response: ServerResponse) => unknown>> = {
  'writeHead(status)': (response) => response.writeHead(201).end(),
  'writeHead(status, headers)': (response) => response.writeHead(201, { 'X-Given': 'b', vary: 'Accept' }).end(),
  'writeHead(status, array)': (response) => response.writeHead(201, ['X-Given', 'b', 'vary', 'Accept']).end(),
  'writeHead(status, undefined, headers)': (response) =>
    response.writeHead(201, undefined, { 'X-Given': 'b', vary: 'Accept' }).end(),
  'write()': (response) => {
    response.statusCode = 201
    response.write('text')
    response.end()
  },
  'end()': (response) => {
    response.statusCode = 201
    response.end()
  },
  'flushHeaders()': (response) => {
    response.statusCode = 201
    response.flushHeaders()
    response.end()
  }
}

for (const [protocol, ask] of Object.entries(PROTOCOLS)) {
  t.test(`over ${protocol}`, async (t) => {
    for (const [way, end] of Object.entries(ENDS)) {
      const isGiven = way.includes(', ')
      t.test(`${way} has all headers in one place, where they can be changed`, async (t) => {
        const seen: unknown[] = []
        const { status, headers } = await ask((_request, response) => {
          response.setHeader('x-given', 'a')
          response.setHeader('x-kept', 'c')
          beforeHeaders(response, (headers, status) => {
            seen.push(status, headers['x-given'], headers['x-kept'], headers.vary)
            return { 'x-kept': 'd' }
          })
          end(response)
        })
        t.same(seen, isGiven ? [201, 'b', 'c', 'Accept'] : [201, 'a', 'c', undefined])
        t.match({ status, ...headers }, { status: 201, 'x-given': isGiven ? 'b' : 'a', 'x-kept': 'd' })
      })

      t.test(`${way} goes on as it would, where nothing is to be changed`, async (t) => {
        const { status, headers } = await ask((_request, response) => {
          response.setHeader('x-given', 'a')
          beforeHeaders(response, () => undefined)
          end(response)
        })
        t.match({ status, ...headers }, { status: 201, 'x-given': isGiven ? 'b' : 'a' })
      })
    }

    t.test('several lines of one header stay several', async (t) => {
      const lines = ['a=1', 'b=2']
      for (const given of [
        { 'set-cookie': lines },
        ['set-cookie', lines],
        ['set-cookie', 'a=1', 'Set-Cookie', 'b=2']
      ]) {
        const { headers } = await ask((_request, response) => {
          response.setHeader('set-cookie', 'replaced=1')
          beforeHeaders(response, () => ({ vary: 'Cookie' }))
          response.writeHead(200, given as OutgoingHttpHeaders).end()
        })
        t.same(headers['set-cookie'], lines)
      }
    })

    t.test('several changes run one after the other, the last that was asked for first', async (t) => {
      const { headers } = await ask((_request, response) => {
        for (const name of ['a', 'b']) {
          beforeHeaders(response, (headers) => ({ 'x-order': `${headers['x-order'] ?? ''}${name}` }))
        }
        response.end()
      })
      t.equal(headers['x-order'], 'ba')
    })
  })
}

t.test('HTTP/2 takes pairs, too', async (t) => {
  const answer = await PROTOCOLS['HTTP/2']?.((_request, response) => {
    beforeHeaders(response, () => ({ vary: 'Cookie' }))
    response.writeHead(200, [['x-given', 'b']] as unknown as OutgoingHttpHeaders).end()
  })
  t.equal(answer?.headers['x-given'], 'b')
})

t.test('a message stays', async (t) => {
  const app = fastify()
  app.get('/', (_request, reply) => {
    reply.hijack()
    beforeHeaders(reply.raw, () => ({ vary: 'Cookie' }))
    reply.raw.writeHead(200, 'Fine', { 'x-given': 'b' }).end()
  })
  t.match(await app.inject('/'), { statusMessage: 'Fine', headers: { 'x-given': 'b' } })
})

t.test('headers that are sent change no more, and say so as ever', async (t) => {
  let changes = 0
  await PROTOCOLS['HTTP/1']?.((_request, response) => {
    beforeHeaders(response, () => {
      changes++
      return undefined
    })
    response.writeHead(200)
    t.throws(() => response.writeHead(200, { a: '1' }), { code: 'ERR_HTTP_HEADERS_SENT' })
    response.end()
  })
  t.equal(changes, 1)
})

t.test('headers that could not be sent are looked at again when others are', async (t) => {
  const seen: unknown[] = []
  const answer = await PROTOCOLS['HTTP/1']?.((_request, response) => {
    beforeHeaders(response, (headers, status) => {
      seen.push([status, headers['x-given']])
      return {}
    })
    t.throws(() => response.writeHead(200, 'no\nmessage', { 'x-given': 'a' }), { code: 'ERR_INVALID_CHAR' })
    response.writeHead(500, 'Sorry', { 'x-given': 'b' }).end()
  })
  t.same(seen, [
    [200, 'a'],
    [500, 'b']
  ])
  t.equal(answer?.status, 500)
})

t.test('headers that are settled, and given all at once, go out as they are', async (t) => {
  for (const [early, isSettled, expected] of [
    [false, true, []],
    [true, true, ['b']],
    [false, false, ['b']]
  ] as const) {
    const seen: unknown[] = []
    const asked: unknown[] = []
    const answer = await PROTOCOLS['HTTP/1']?.((_request, response) => {
      if (early) response.setHeader('x-early', 'a')
      beforeHeaders(
        response,
        (headers) => {
          seen.push(headers['x-given'])
          return undefined
        },
        (headers) => {
          asked.push(headers['x-given'])
          return isSettled
        }
      )
      response.writeHead(201, { 'x-given': 'b' }).end()
    })
    t.same([seen, asked], [expected, early ? [] : ['b']])
    t.match(answer, { status: 201, headers: { 'x-given': 'b' } })
  }
})
