import { join } from 'node:path'
import type { BrowserContext, Page } from 'playwright-core'
import t from 'tap'
import { FakeClock } from '../../lib/testing/fake-clock.ts'
import { SECRET, START } from '../helpers/app.ts'
import { checkAccessibility } from '../helpers/axe.ts'
import { cookiesOf, follow, openChromium, openContext, openPage, serve } from '../helpers/chromium.ts'
import { buildLesson } from '../helpers/lesson.ts'

const browser = await openChromium(t, 'the lessons in a browser')
if (browser !== undefined) {
  /** A lesson that is served, and a browser that has never been there. */
  const open = async (
    t: Parameters<typeof serve>[0],
    lesson: string,
    path: string,
    options: { clock?: () => number } = {}
  ): Promise<{ url: string; context: BrowserContext; page: Page }> => {
    const directory = join(t.testdir({}), 'sessions')
    const url = await serve(t, await buildLesson(lesson, { secret: SECRET, ...options }, directory))
    const context = await openContext(t, browser)
    return { url, context, page: await openPage(t, context, url + path) }
  }
  const pathOf = (page: Page): string => new URL(page.url()).pathname
  const text = (page: Page): Promise<string> => page.innerText('body')

  t.test('000: log in, see the dashboard and the profile, log out', async (t) => {
    const { url, page } = await open(t, '000', '/dashboard')
    t.equal(pathOf(page), '/login', 'nobody gets in without a login')
    await checkAccessibility(t, page, 'wcag')
    await page.fill('[name=username]', 'admin')
    await page.fill('[name=password]', 'wrong')
    await follow(page, '[type=submit]')
    t.match(await text(page), 'Login inválido')
    await page.goBack()
    await page.fill('[name=username]', 'admin')
    await page.fill('[name=password]', '123')
    await follow(page, '[type=submit]')
    t.equal(pathOf(page), '/dashboard')
    t.match(await text(page), 'Bem-vindo, admin! Seu ID é: 12345')
    await page.goto(`${url}/perfil`)
    t.match(await text(page), 'Seu perfil. Cargo: admin')
    await page.goto(`${url}/logout`)
    await page.goto(`${url}/dashboard`)
    t.equal(pathOf(page), '/login')
  })

  t.test('001: the list grows, and so does the cookie; two idle minutes empty it', async (t) => {
    const clock = new FakeClock(START)
    const { url, context, page } = await open(t, '001', '/', { clock: clock.now })
    let bytes = 0
    for (const name of ['Ana', 'Bia <b>', 'Caio']) {
      await page.fill('[name=nome]', name)
      await follow(page, '[type=submit]')
      const { session = '' } = await cookiesOf(context, url)
      t.ok(session.length > bytes, `${session.length} bytes in the browser`)
      bytes = session.length
    }
    t.same(await page.locator('li').allInnerTexts(), ['Ana', 'Bia <b>', 'Caio'])
    await checkAccessibility(t, page, 'wcag')
    clock.advance(120)
    await page.reload()
    t.equal(await page.locator('li').count(), 3)
    clock.advance(121)
    await page.reload()
    t.equal(await page.locator('li').count(), 0)
  })

  t.test('002: a name in the session, and one in a plain cookie', async (t) => {
    const { url, context, page } = await open(t, '002', '/')
    t.match(await text(page), 'Você não está logado.')
    await page.goto(`${url}/login`)
    await checkAccessibility(t, page, 'wcag')
    await page.fill('[name=username]', 'Ana')
    await follow(page, '[type=submit]')
    t.match(await text(page), 'Bem-vindo, Ana!')

    await page.goto(`${url}/cookies/login`)
    await page.fill('[name=username]', 'Bia')
    await follow(page, '[type=submit]')
    t.match(await text(page), 'Bem-vindo novamente, Bia!')
    const plain = (await context.cookies(url)).find(({ name }) => name === 'username')
    t.match(plain, { value: 'Bia', httpOnly: false, secure: false })
    t.equal(Math.round(((plain?.expires ?? 0) - Date.now() / 1000) / 86_400), 7, 'for seven days')
    t.equal(await page.evaluate('document.cookie'), 'username=Bia', 'a script reads it, and not the session')
    await page.goto(`${url}/cookies/logout`)
    t.notOk('username' in (await cookiesOf(context, url)))
    t.match(await text(page), 'Por favor, faça login.')
  })

  t.test('003: a search for those who have logged in, with sessions in files', async (t) => {
    const { url, context, page } = await open(t, '003', '/search')
    t.equal(pathOf(page), '/login')
    await checkAccessibility(t, page, 'wcag')
    await page.fill('[name=username]', 'Ana')
    await follow(page, '[type=submit]')
    t.match(await text(page), 'Só quem fez login vê esta página: Ana')
    const { session = '' } = await cookiesOf(context, url)
    t.match(session, /^r2/, 'the cookie is an id')
    await page.goto(`${url}/search`)
    await page.fill('[name=busca]', 'vidas')
    await follow(page, '[type=submit]')
    t.match(await text(page), 'Vidas Secas')
    await checkAccessibility(t, page, 'wcag')
    await page.goto(`${url}/logout`)
    await context.addCookies([{ name: 'session', value: session, url }])
    await page.goto(`${url}/search`)
    t.equal(pathOf(page), '/login', 'a copy of the cookie is worth nothing')
  })

  t.test('004: visits, a cart that is filled twice, a dashboard', async (t) => {
    const { url, page } = await open(t, '004', '/visits')
    t.match(await text(page), 'You have visited 1 times')
    await page.reload()
    t.match(await text(page), 'You have visited 2 times')
    for (const path of ['/add-to-cart/7', '/add-to-cart/7']) {
      t.equal((await page.goto(url + path))?.status(), 200)
      t.match(await text(page), 'Added to cart')
    }
    await page.goto(`${url}/dashboard`)
    t.equal(pathOf(page), '/login')
    await checkAccessibility(t, page, 'wcag')
    await page.fill('[name=username]', 'john')
    await follow(page, '[type=submit]')
    t.match(await text(page), 'Welcome john')
    await page.goto(`${url}/visits`)
    t.match(await text(page), 'You have visited 3 times', 'the login kept what was there')
    await page.goto(`${url}/logout`)
    t.equal(pathOf(page), '/login')
  })
}
