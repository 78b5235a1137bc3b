// Runs inside the visited page, where the DOM is: what the tests ask a page about itself.
document.addEventListener('securitypolicyviolation', (event) => {
  console.error(`policy report: ${event.violatedDirective} ${event.blockedURI}`)
})

globalThis.inPage = { smallTargets, seriousFindings, sideways, keptRows, untilKept, untilPainted, untilMoved }

/** Everything that can be pressed and is smaller than `least` pixels in one direction. */
function smallTargets(least) {
  const pressable = document.querySelectorAll('a[href], button, select, input, [role="button"]')
  return [...pressable].flatMap((element) => {
    // A radio or tick box is pressed through the whole row of its label.
    const target = element.closest('label') ?? element
    const { width, height, bottom } = target.getBoundingClientRect()
    const { visibility, pointerEvents } = getComputedStyle(target)
    const hidden = visibility === 'hidden' || pointerEvents === 'none' || width === 0 || bottom <= 0
    if (hidden || (width >= least && height >= least)) return []
    return [`${target.outerHTML.slice(0, 90)} is ${Math.round(width)} × ${Math.round(height)}`]
  })
}

/** Serious and critical findings of axe, which the test has brought in before. */
async function seriousFindings() {
  // Colours halfway through a change are nobody's choice; what turns for ever is not waited for.
  const changing = document
    .getAnimations()
    .filter(({ effect }) => effect.getComputedTiming().iterations !== Infinity)
  await Promise.allSettled(changing.map(({ finished }) => finished))
  const { violations } = await globalThis.axe.run()
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`)
}

/** Pixels by which the page can be pushed sideways. */
function sideways() {
  return document.documentElement.scrollWidth - document.documentElement.clientWidth
}

/** Resolves when between `least` and `most` pixels of a canvas are drawn on. */
async function untilPainted(selector, least, most) {
  for (;;) {
    const painted = paintedPixels(selector)
    if (painted >= least && painted <= most) return true
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** Waits until a canvas has been drawn on `times` times, each time otherwise: until somebody who moves was seen so often. */
async function untilMoved(selector, times) {
  for (let last = 0, moved = 0; moved < times; ) {
    const painted = paintedPixels(selector)
    if (painted > 0 && painted !== last) moved += 1
    last = painted
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return true
}

/** Pixels of a canvas that something was drawn on. */
function paintedPixels(selector) {
  const canvas = document.querySelector(selector)
  if (!canvas || canvas.width === 0) return 0
  // A copy, because reading makes a canvas slow for whoever draws on it.
  const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d', { willReadFrequently: true })
  copy.drawImage(canvas, 0, 0)
  const { data } = copy.getImageData(0, 0, canvas.width, canvas.height)
  let painted = 0
  for (let at = 3; at < data.length; at += 4) if (data[at] > 0) painted += 1
  return painted
}

/** Rows that this browser keeps about the household. */
async function keptRows() {
  return (await keptPairs()).length
}

/** Resolves when what the browser keeps, opened with the key that it keeps beside, says `text`. */
async function untilKept(text) {
  while (!(await keptText()).includes(text)) await new Promise((resolve) => setTimeout(resolve, 50))
  return true
}

async function keptText() {
  const pairs = new Map(await keptPairs())
  const key = pairs.get(':key')
  const sealed = pairs.get('household')
  if (!key || !sealed) return ''
  const plain = await crypto.subtle.decrypt({ name: 'AES-GCM', iv: sealed.iv }, key, sealed.text)
  return new TextDecoder().decode(plain)
}

async function keptPairs() {
  // Opening what is not there would make it, empty and in the way of the app.
  const kept = await indexedDB.databases()
  if (!kept.some(({ name }) => name === 'homefield')) return []
  const database = await answer(indexedDB.open('homefield'))
  const store = database.transaction('vault').objectStore('vault')
  const keys = await answer(store.getAllKeys())
  const values = await answer(store.getAll())
  database.close()
  return keys.map((key, index) => [key, values[index]])
}

function answer(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
}
