import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type * as Tap from 'tap'
import t from 'tap'
import { createSelfSigned } from '../helpers/self-signed.ts'
import { cannotTest, freePort, until } from '../helpers/service.ts'
import { recipeText, startRecipe } from './start.ts'

interface Reply {
  readonly status: number | undefined
  readonly location: string | undefined
  readonly cookies: readonly string[]
  readonly body: string
}

/** Sends a request over HTTPS, whoever has signed the certificate. */
async function send(url: string, method = 'GET', headers: Record<string, string> = {}, body = ''): Promise<Reply> {
  const outgoing = request(url, { method, headers, rejectUnauthorized: false, agent: false })
  outgoing.end(body)
  const [incoming] = await once(outgoing, 'response')
  const { location, 'set-cookie': cookies = [] } = incoming.headers
  return { status: incoming.statusCode, location, cookies, body: await text(incoming) }
}

/** Starts a proxy, and waits until it answers. */
async function startProxy(t: Tap.Test, url: string, program: string, ...parameters: string[]): Promise<void> {
  const home = t.testdirName
  const child = spawn(program, parameters, {
    stdio: 'ignore',
    env: { ...process.env, XDG_DATA_HOME: home, XDG_CONFIG_HOME: home }
  })
  const ended = once(child, 'exit')
  t.teardown(async () => {
    child.kill()
    await ended
  })
  await until(() => send(`${url}/health`))
}

/** What a program behind a proxy at /shop does. */
async function tell(t: Tap.Test, url: string): Promise<void> {
  t.match(await send(`${url}/health`), { status: 200, cookies: [], body: 'ok\n' })
  const navigation = { accept: 'text/html' }
  const refused = await send(`${url}/me`, 'GET', navigation)
  t.match(refused, { status: 302, location: '/shop/login' })
  t.match(refused.cookies, [/^__Host-session=.*; Secure; /])
  const login = await send(`${url}/login`, 'POST', {
    ...navigation,
    cookie: String(refused.cookies[0]).split(';')[0] ?? '',
    'x-forwarded-for': '192.0.2.7',
    'x-forwarded-prefix': '/elsewhere'
  })
  t.match(login, { status: 303, location: '/shop/me' })
  const cookie = String(login.cookies[0]).split(';')[0] ?? ''
  t.equal((await send(`${url}/me`, 'GET', { cookie })).body, 'user 7 from 127.0.0.1 on https\n')
}

/** Sends a session with so many bytes of JSON. */
function draft(url: string, bytes: number): Promise<Reply> {
  const headers = { 'content-type': 'text/plain', 'content-length': String(bytes - '{"draft":""}'.length) }
  return send(`${url}/draft`, 'PUT', headers, 'x'.repeat(bytes - '{"draft":""}'.length))
}

t.test('nginx', async (t) => {
  const nginx = '/usr/sbin/nginx'
  if (!existsSync(nginx)) return cannotTest(t, 'nginx', `there is no ${nginx}`)
  const upstream = new URL((await startRecipe(t, 'proxies')).url).host
  const folder = t.testdir({})
  const { keyFile, certFile } = createSelfSigned(t)
  for (const isAsInstalled of [false, true]) {
    const port = await freePort()
    const url = `https://localhost:${port}/shop`
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    const paths = temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join(' ')
    const config = recipeText('proxies', 'nginx.conf')
      .replace('http {', `http { access_log off; ${paths}`)
      .replace('listen 443', `listen 127.0.0.1:${port}`)
      .replace('www.example.com', 'localhost')
      .replace('/etc/ssl/shop/cert.pem', certFile)
      .replace('/etc/ssl/shop/key.pem', keyFile)
      .replace('127.0.0.1:3000', upstream)
      .replace(isAsInstalled ? /proxy_buffer_size.*/ : '', '')
    const file = join(folder, `${port}.conf`)
    writeFileSync(file, config)
    const global = `daemon off; pid ${file}.pid; error_log ${file}.log;`
    await startProxy(t, url, nginx, '-p', folder, '-e', `${file}.log`, '-c', file, '-g', global)
    await tell(t, url)
    t.equal((await draft(url, 2700)).status, 200)
    t.equal(
      (await draft(url, 2960)).status,
      isAsInstalled ? 502 : 200,
      `proxy_buffer_size ${isAsInstalled ? 'as installed' : '8k'}`
    )
  }
})

t.test('Caddy', async (t) => {
  const caddy = '/usr/bin/caddy'
  if (!existsSync(caddy)) return cannotTest(t, 'Caddy', `there is no ${caddy}`)
  const upstream = new URL((await startRecipe(t, 'proxies')).url).host
  const folder = t.testdir({})
  mkdirSync(join(folder, 'caddy'))
  const port = await freePort()
  const config = recipeText('proxies', 'Caddyfile')
    .replace('www.example.com', `https://localhost:${port}`)
    .replace('127.0.0.1:3000', upstream)
  const options = '{\n admin off\n auto_https disable_redirects\n local_certs\n skip_install_trust\n}\n'
  const file = join(folder, 'Caddyfile')
  writeFileSync(file, options + config)
  const url = `https://localhost:${port}/shop`
  await startProxy(t, url, caddy, 'run', '--config', file, '--adapter', 'caddyfile')
  await tell(t, url)
  t.equal((await draft(url, 2960)).status, 200)
})
