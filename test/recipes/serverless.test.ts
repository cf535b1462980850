import { execFileSync } from 'node:child_process'
import t from 'tap'
import { SECRET } from '../helpers/app.ts'
import { recipeFile } from './start.ts'

interface Result {
  readonly body: string
  readonly cookies?: readonly string[]
  readonly multiValueHeaders?: Readonly<Record<string, readonly string[]>>
  readonly headers: Readonly<Record<string, string>>
}

/** What the function answers, in a process of its own as after a cold start. */
function invoke(event: object): Result {
  const call = `
    const { handler } = await import(${JSON.stringify(recipeFile('serverless', 'lambda.mts'))})
    console.log(JSON.stringify(await handler(${JSON.stringify(event)}, {})))`
  const env = { ...process.env, SESSION_SECRET: SECRET }
  const options = { encoding: 'utf8', env } as const
  return JSON.parse(execFileSync(process.execPath, ['--import=tsx', '--input-type=module', '-e', call], options))
}

const headers = { 'x-forwarded-proto': 'https', 'x-forwarded-for': '192.0.2.7', host: 'shop.example' }

t.test('HTTP API and function URLs', (t) => {
  const event = {
    version: '2.0',
    rawPath: '/',
    rawQueryString: '',
    headers,
    requestContext: { http: { method: 'GET', path: '/', sourceIp: '192.0.2.7' } }
  }
  const first = invoke(event)
  t.equal(first.body, 'visit 1\n')
  t.match(first.cookies, [/^__Host-session=.*; Secure; /])
  const cookies = [first.cookies?.[0]?.split(';', 1)[0], 'theme=dark']
  t.equal(invoke({ ...event, cookies }).body, 'visit 2\n', 'another instance knows the session')
  t.end()
})

t.test('REST API', (t) => {
  const event = { httpMethod: 'GET', path: '/', headers, multiValueHeaders: {}, requestContext: {} }
  const first = invoke(event)
  const [cookie = ''] = first.multiValueHeaders?.['set-cookie'] ?? [first.headers['set-cookie'] ?? '']
  t.match(cookie, /^__Host-session=/)
  const again = invoke({ ...event, headers: { ...headers, cookie: cookie.split(';', 1)[0] } })
  t.equal(again.body, 'visit 2\n')
  t.end()
})
