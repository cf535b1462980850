import t from 'tap'
import { Browser } from '../../bench/children/browser.ts'
import { prove } from '../../bench/children/prove.ts'
import { start as startSketch } from '../../bench/children/systems/sketch-signed.ts'
import { areTwinsAlike, judge, overheadOf, ratioOf } from '../../bench/cpu/ratio.ts'
import { budgetOf, judgeBudget } from '../../bench/instructions/budget.ts'
import { readDump, readPerfMap } from '../../bench/instructions/callgrind.ts'
import { BASIC } from '../../bench/plan.ts'
import { insertReport } from '../../bench/report.ts'
import { median, standardError } from '../../bench/statistics.ts'

t.test('a ratio is taken in each round, so that a change in the speed of the machine cancels', async (t) => {
  const bare = [10, 20, 40]
  const ratio = ratioOf([11, 22, 44], bare, [14, 28, 56], bare)
  t.same(ratio, { value: 0.25, error: 0 })
  t.same(overheadOf([11, 21, 41], bare), { value: 1, error: 0 })
})

t.test('the base of a system may be another than that of its peer', async (t) => {
  t.equal(ratioOf([15], [13], [20], [10]).value, 0.2)
})

t.test('the standard error falls with the rounds, and one interrupted slice changes little', async (t) => {
  const sample = [8, 9, 10, 11, 12]
  const four = [...sample, ...sample, ...sample, ...sample]
  t.equal(median(four), 10)
  t.ok(standardError(four) < standardError(sample))
  t.equal(standardError([8, 9, 10, 11, 1200]), standardError(sample))
})

t.test('a verdict allows the error once, and twins that differ allow none', async (t) => {
  t.equal(judge({ value: 0.7, error: 0.1 }, 0.72, true), 'met')
  t.equal(judge({ value: 0.75, error: 0.1 }, 0.72, true), 'met within the error')
  t.equal(judge({ value: 0.75, error: 0.02 }, 0.72, true), 'not met')
  t.equal(judge({ value: 0.1, error: 0 }, 0.72, false), 'inconclusive')
  t.equal(judge({ value: Number.NaN, error: 0 }, 0.72, true), 'inconclusive')
  t.ok(areTwinsAlike({ value: 0.96, error: 0.2 }))
  t.notOk(areTwinsAlike({ value: 1.06, error: 0 }))
})

const DUMP = `# callgrind format
positions: instr line
events: Ir

ob=(1) ???
fn=(0) 0x000000000d144780
0xd144780 0 100
+16 0 20
* 0 3

ob=(2) /usr/bin/node
fn=(1) sha256_block_data_order_avx2
0x5000 0 7000

fn=(2) Builtins_CompileLazy
0x6000 0 10
cfn=(3) v8::internal::Runtime_CompileLazy(int)
calls=1 0x7000 0
* 0 500
+4 0 5

fn=(3)
0x7000 0 400
cfn=(4) v8::internal::Zone::New()
calls=2 0x8000 0
* 0 100
fn=(4)
0x8000 0 100
`

t.test('a dump of callgrind is read with the names of compiled functions; calls count once', async (t) => {
  const map =
    'd144700 80 JS:~old file:///home/a/dist/lib/x.js:1:1\nd144780 10 JS:*read file:///home/a/dist/lib/x.js:1:2\nd144790 8 RegExp:^a'
  const { functions, ...sums } = readDump(DUMP, readPerfMap(map))
  t.same(sums, { total: 7638, compiler: 500, garbage: 0, sha: 7000 })
  t.same(Object.fromEntries(functions), {
    'JS:*read lib/x.js:1:2': 100,
    'RegExp:^a': 23,
    sha256_block_data_order_avx2: 7000,
    Builtins_CompileLazy: 15,
    'v8::internal::Runtime_CompileLazy(int)': 400,
    'v8::internal::Zone::New()': 100
  })
  t.equal(readPerfMap(map)(0xd144799), undefined, 'behind the last function')
})

t.test('a budget fails from 3 % on, and says when it can be lowered', async (t) => {
  const costs = (signed: number) =>
    budgetOf((system) => (system === 'sketch' ? 1000 : system === 'signed' ? signed : 3000))
  const budget = costs(2000)
  t.same(budget.signed, { untouched: 2, read: 2, write: 2, login: 2 })
  const verdicts = (signed: number): string[] =>
    judgeBudget(costs(signed), budget)
      .filter(({ system }) => system === 'signed')
      .map(({ verdict }) => verdict)
  t.same(new Set(verdicts(2059)), new Set(['kept']))
  t.same(new Set(verdicts(2061)), new Set(['over']))
  t.same(new Set(verdicts(1939)), new Set(['under']))
  t.ok(
    judgeBudget(budget, {}).every(({ verdict }) => verdict === 'over'),
    'a system without a budget'
  )
})

t.test('the report replaces the last one, and nothing else', async (t) => {
  const page = 'a\n<!-- results: written by npm run bench -- --all -->\n\nold\n\n<!-- end of results -->\nb\n'
  t.equal(insertReport(page, 'new'), page.replace('old', 'new'))
  t.throws(() => insertReport('a', 'new'), /no place/)
})

const account = {
  profile: { id: 1, name: 'Ada', email: 'ada@example.com', roles: [], settings: {} },
  visits: 100
}

t.test('the sketch works', async () => {
  const app = await startSketch({ accounts: [account], logger: false })
  await prove('sketch', new Browser(app, BASIC))
})

t.test('a system that opens a forged cookie, or forgets what was written, is not measured', async (t) => {
  const app = await startSketch({ accounts: [account], logger: true })
  const real = new Browser(app, BASIC)
  const careless = Object.assign(new Browser(app, BASIC), {
    ask: async (route: string, cookie?: string) => {
      const reply = await real.ask(route, cookie)
      return route === 'show' && reply.body === '{}' ? { ...reply, body: JSON.stringify(account) } : reply
    }
  })
  await t.rejects(prove('careless', careless), /careless opens a forged cookie/)
  const forgetful = Object.assign(new Browser(app, BASIC), {
    ask: (route: string, cookie?: string) => real.ask(route === 'write' ? 'read' : route, cookie)
  })
  await t.rejects(prove('forgetful', forgetful), /forgetful does not keep what was written/)
})

t.test('users send their own cookies, keep new ones, and a failed request ends the slice', async (t) => {
  const app = await startSketch({ accounts: [account], logger: false })
  const browser = new Browser(app, { ...BASIC, foreignCookies: 20 })
  await browser.logIn()
  const [first] = browser.prepare('read', 1)
  t.match(first?.cookies, /^theme=[^;]+; session=[^;]+; tracker=/)
  t.equal(first?.cookies.split('; ').length, 21)
  await browser.send(browser.prepare('write', 100), 7)
  t.equal(browser.adoptCookies(), 50)
  await browser.send(browser.prepare('untouched', 50))
  t.equal(browser.adoptCookies(), 0)
  const missing = browser.prepare('read', 1).map((request) => ({ ...request, url: '/missing' }))
  await t.rejects(browser.send(missing), /\/missing answered 404/)
})
