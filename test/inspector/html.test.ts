import t from 'tap'
import { html } from '../../lib/inspector/html.ts'

t.test('every value is escaped, except pieces of HTML', async (t) => {
  const evil = `<b id="a" title='b'>&`
  t.equal(html`<p>${evil}</p>`.html, '<p>&#60;b id=&#34;a&#34; title=&#39;b&#39;&#62;&#38;</p>')
  t.equal(html`<p>${html`<b>${7}</b>`}</p>`.html, '<p><b>7</b></p>')
  t.equal(html`<ul>${['a', '<'].map((text) => html`<li>${text}</li>`)}</ul>`.html, '<ul><li>a</li><li>&#60;</li></ul>')
  t.equal(html`\n`.html, '\n')
})
