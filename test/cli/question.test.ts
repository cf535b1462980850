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

t.test('nobody sits at a pipe', async (t) => {
  t.equal(question(new PassThrough(), new PassThrough()), undefined)
})
