import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { question } from '../../lib/cli/question.ts'

t.test('who sits at a terminal is asked', async (t) => {
  const [input, output] = [Object.assign(new PassThrough(), { isTTY: true }), new PassThrough()]
  const ask = question(input, output)
  input.write('yes\n')
  t.equal(await ask?.('Really? '), 'yes')
  output.end()
  t.match(await text(output), 'Really? ')
})

t.test('who leaves answers with nothing', async (t) => {
  const CTRL_C = '\u0003'
  const CTRL_D = '\u0004'
  for (const key of [CTRL_C, CTRL_D]) {
    const [input, output] = [new PassThrough(), new PassThrough()].map((stream) =>
      Object.assign(stream, { isTTY: true })
    )
    const answer = question(input as PassThrough, output as PassThrough)?.('Really? ')
    input?.write(key)
    t.equal(await answer, '')
  }
  const input = Object.assign(new PassThrough(), { isTTY: true })
  const answer = question(input, new PassThrough())?.('Really? ')
  input.end()
  t.equal(await answer, '', 'also where the output is a file')
})

t.test('nobody sits at a pipe', async (t) => {
  t.equal(question(new PassThrough(), new PassThrough()), undefined)
})
