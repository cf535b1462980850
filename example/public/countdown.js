// Counts down to the end of the session. It asks the server when the page opens, when the page becomes visible again, and at
// zero. The request does not count as activity.

/** What screen readers announce. Announcing every second would be a nuisance. */
const SAID_AT = { 60: 'One minute left.', 10: 'Ten seconds left.' }

const timer = document.getElementById('countdown')
const said = document.getElementById('countdown-said')
let endsAt = 0
let ticking

async function ask() {
  const reply = await fetch(timer.dataset.url).catch(() => undefined)
  const { seconds } = reply?.ok ? await reply.json() : {}
  clearTimeout(ticking)
  timer.hidden = seconds === undefined
  if (seconds === null) {
    timer.textContent = 'The session has ended.'
    said.textContent = 'Your session has ended.'
  } else if (seconds !== undefined) {
    endsAt = Date.now() + seconds * 1000
    tick()
  }
}

function tick() {
  const left = Math.max(0, Math.ceil((endsAt - Date.now()) / 1000))
  timer.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, '0')}`
  if (left in SAID_AT) said.textContent = SAID_AT[left]
  // At zero the session lives for one more second. A request of another page may have kept it alive longer.
  ticking = setTimeout(left === 0 ? ask : tick, 1000)
}

document.addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'visible') ask()
})
ask()
