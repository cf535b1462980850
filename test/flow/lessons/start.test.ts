import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { startProgram } from '../../helpers/program.ts'

/** What `npm run lesson` runs after the build, which would take `dist` away from the tests beside this one. */
function lessonCommand(): string[] {
  const file = join(import.meta.dirname, '../../../package.json')
  const { scripts } = JSON.parse(readFileSync(file, 'utf8')) as { scripts: { lesson: string } }
  const [build, run = ''] = scripts.lesson.split(' && ')
  t.equal(build, 'npm run --silent build')
  const [node, ...parameters] = run.split(' ')
  t.equal(node, 'node')
  return parameters
}

const command = lessonCommand()

for (const [lesson, path, shown] of [
  ['000', '/login', 'action="/login_submit"'],
  ['001', '/perfil', 'Nenhum usuário logado.'],
  ['002', '/cookies/', 'Bem-vindo! Por favor, faça login.'],
  ['003', '/login', 'name="username"'],
  ['004', '/visits', 'You have visited 1 times']
] as const) {
  t.test(`npm run lesson -- ${lesson}`, async (t) => {
    const program = await startProgram([...command, lesson])
    const page = await fetch(program.url + path)
    t.equal(page.status, 200)
    t.match(await page.text(), shown)
    t.equal(await program.stop(), 0)
    t.equal(program.lines.filter((line) => line.includes('SESSION_SECRET is not set')).length, 1)
  })
}

t.test('no lesson, or none that there is, is told which there are', async (t) => {
  for (const lesson of [[], ['005'], ['../server']]) {
    const program = await startProgram([...command, ...lesson])
    t.equal(await program.stop(), 1)
    t.match(program.lines.join('\n'), 'npm run lesson -- 000, 001, 002, 003 or 004')
  }
})

t.test('in production a missing secret refuses to start', async (t) => {
  const program = await startProgram([...command, '000'], { NODE_ENV: 'production' })
  t.equal(await program.stop(), 1)
  t.match(program.lines.join('\n'), /ERR_SESSION_SECRET_MISSING/)
})
